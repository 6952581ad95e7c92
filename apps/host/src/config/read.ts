import { ConfigError } from '@nexus/core'
import type { HostConfig } from './host-config.ts'
import { inspectHostConfig } from './inspect.ts'
import { problemText } from './source.ts'

/** More than these are better looked at one after the other. */
const mostErrors = 10

/** Reads `nexus.yaml`. Throws `ConfigError` naming file, line, column, member and what to do of everything that is wrong. */
export const readHostConfig = (file: string): HostConfig => {
  const { config, problems } = inspectHostConfig(file)
  if (config) return config
  const errors = problems.filter(({ severity }) => severity === 'error')
  const more = errors.length > mostErrors ? [`… and ${errors.length - mostErrors} more: nexus-host check`] : []
  throw new ConfigError(errors[0]?.member ?? '', [...errors.slice(0, mostErrors).map(problemText), ...more].join('\n'))
}

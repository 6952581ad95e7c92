import { configErrorExitCode } from '@nexus/core'

/** Exit codes, as every command of this program uses them. */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  degraded: 3,
  unreachable: 69,
  configuration: configErrorExitCode,
} as const

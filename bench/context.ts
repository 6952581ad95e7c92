import { type BackendContext, createIds, silentLogger, systemClock } from '@nexus/core'

/** What a program gives the stores that it opens. */
export const context: BackendContext = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown',
}

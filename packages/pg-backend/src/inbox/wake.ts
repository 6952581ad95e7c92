import { wakeUp } from '../statements/inbox-queue.ts'
import type { PgTools } from '../tools.ts'

/**
 * One notification at a time, for all projects that had news meanwhile: the server takes a global lock for each commit
 * that notifies, so it is kept out of the statements that store something.
 */
export const createWake = ({ run, logger }: PgTools) => {
  const waiting = new Set<string>()
  let flight: Promise<void> | null = null

  const flush = async (): Promise<void> => {
    while (waiting.size > 0) {
      const projects = [...waiting]
      waiting.clear()
      await run(wakeUp, [projects]).catch((error: Error) =>
        logger.debug('A hint about new tasks was not sent', { reason: error.message }),
      )
    }
    flight = null
  }

  return {
    wake(projects: Iterable<string>): void {
      for (const project of projects) waiting.add(project)
      if (waiting.size > 0) flight ??= flush()
    },
    /** When nothing is on its way any more. */
    async settled(): Promise<void> {
      await flight
    },
  }
}

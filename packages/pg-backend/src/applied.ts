import { invalid, isStoreError } from '@nexus/core'
import type { z } from 'zod'
import type { RunStatement } from './query.ts'
import { confirmApplied, pruneApplied } from './statements/applied.ts'
import type { Call, PgTools } from './tools.ts'

/** An id is remembered for so long, and a day more, because the clocks of hosts and database differ. */
export const rememberedDays = 30

/** So many old ids go at once: more than come from one time to the next. */
const pruneAtOnce = 1000
const pruneEvery = 500

/** Old ids go by the way, beginning with the first operation of this process; nobody waits for it. */
export const createPrune = ({ run, logger }: Pick<PgTools, 'run' | 'logger'>): (() => void) => {
  let operations = 0
  return () => {
    operations += 1
    if (operations % pruneEvery !== 1) return
    run(pruneApplied, [rememberedDays + 1, pruneAtOnce]).catch((error: unknown) =>
      logger.debug('Old operation ids could not be removed', { reason: String(error) }),
    )
  }
}

/** What was answered when the operation was applied, or null where it was not. */
export const answerOf = async (run: RunStatement, id: string, call: Call): Promise<unknown> => {
  const [row] = await run(confirmApplied, [id], call)
  return row ? JSON.parse(row.answer) : null
}

/** An effect with one of these was none, and no id was recorded. */
const isUndone = (status: string): boolean => status === 'conflict' || status === 'not-object'

interface Once<R> {
  id: string
  call: Call
  answer: z.ZodType<R>
}

/**
 * Does an operation whose statement records its id. Where it was done before, the first answer is given again: its
 * statement fails as a duplicate, or something else is in its way by now. [C-ROUTE-10]
 */
export const createOnce =
  ({ run }: Pick<PgTools, 'run'>) =>
  async <R extends { status: string }>({ id, call, answer }: Once<R>, work: (call: Call) => Promise<R>): Promise<R> => {
    const former = async (): Promise<R | null> => {
      const found = await answerOf(run, id, call)
      if (found === null) return null
      const parsed = answer.safeParse(found)
      if (parsed.success) return parsed.data
      throw invalid(`The operation ${id} was settled by a replay, and has no other answer.`)
    }
    try {
      const result = await work({ ...call, id })
      return isUndone(result.status) ? ((await former()) ?? result) : result
    } catch (error) {
      if (!isStoreError(error) || error.code === 'unavailable') throw error
      const found = await former()
      if (found) return found
      throw error
    }
  }

import type { z } from 'zod'
import { invalid, StoreError } from './errors.ts'

/** Options every store call takes. */
export interface CallOptions {
  /** Ends the wait; what was already sent may still happen. */
  signal?: AbortSignal | undefined
}

/** Reads a caller's input by its schema; what does not fit is `invalid` and names the field. */
export const parseInput = <S extends z.ZodType>(schema: S, input: z.input<S>, what: string): z.output<S> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue && issue.path.length > 0 ? ` ${issue.path.join('.')}` : ''
  throw invalid(`The ${what}${field} ${issue?.message ?? 'does not fit'}.`)
}

/** What every call does first: a closed store answers `closed`, an aborted call stops. [C-ALL-12] */
export const checkOpen = (isClosed: boolean, backend: string, options?: CallOptions): void => {
  if (isClosed) throw new StoreError({ code: 'closed', message: `The ${backend} backend is closed.` })
  options?.signal?.throwIfAborted()
}

import { createAttempts as real } from '../../src/task/attempts.ts'

/** Takes every run that it did not start itself for one of another root. */
export const createAttempts: typeof real = (ids, rootId) => {
  const { next } = real(ids, rootId)
  const known = new Set<string>()
  return {
    next() {
      const attempt = next()
      known.add(attempt)
      return attempt
    },
    isOurs: (attempt) => known.has(attempt),
  }
}

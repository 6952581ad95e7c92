import { backoffs } from './definition.ts'
import type { Step } from './document.ts'

type Backoff = (typeof backoffs)[number]

/** Factors of the first delay before the n-th retry, counted from 0. */
const growth = {
  constant: () => 1,
  linear: (n) => n + 1,
  exponential: (n) => 2 ** Math.min(n, 30),
} as const satisfies Record<Backoff, (n: number) => number>

/** No wait is longer. */
const maxDelayMs = 86_400_000

/** How long a step whose agent failed waits for its next run, in milliseconds; null where its policy allows none. */
export const retryAfterMs = ({ retry, retry_count, backoff_strategy, initial_delay }: Step): number | null => {
  if (retry === null || retry_count >= retry) return null
  const backoff = backoffs.find((known) => known === backoff_strategy) ?? 'exponential'
  return Math.min((initial_delay ?? 1) * 1000 * growth[backoff](retry_count), maxDelayMs)
}

/** Exact, or for terminal states a floor where counting on would cost more than it tells. */
export type Count = number | { atLeast: number }

/** Where counting of terminal states stops. */
export const countCeiling = 10_000

/** `counted` must have been counted up to at most `countCeiling + 1`. */
export const boundedCount = (counted: number): Count => (counted > countCeiling ? { atLeast: countCeiling } : counted)

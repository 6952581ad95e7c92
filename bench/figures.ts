/** The value that `share` of them do not exceed. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** One line of a bench. */
export const report = (bench: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(
    ([key, value]) => `${key}=${typeof value === 'number' ? Math.round(value * 100) / 100 : value}`,
  )
  process.stdout.write(`${bench}: ${words.join(' ')}\n`)
}

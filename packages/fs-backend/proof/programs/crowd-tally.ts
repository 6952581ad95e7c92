/** What is counted, and each fault in words. */
export interface Tally {
  figures: Record<string, number>
  faults: string[]
  count(figure: string, by?: number): void
  fault(figure: string, words: string): void
}

export const createTally = (...zeros: string[]): Tally => {
  const figures: Record<string, number> = Object.fromEntries(zeros.map((figure) => [figure, 0]))
  const faults: string[] = []
  const count = (figure: string, by = 1): void => {
    figures[figure] = (figures[figure] ?? 0) + by
  }
  return {
    figures,
    faults,
    count,
    fault(figure, words) {
      count(figure)
      faults.push(`${figure}: ${words}`)
    },
  }
}

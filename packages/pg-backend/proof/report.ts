/** One line of figures. */
export const report = (proof: string, figures: Record<string, string | number>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}

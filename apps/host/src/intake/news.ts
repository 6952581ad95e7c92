/** Told names remembered; the oldest is forgotten first. */
const mostTold = 5_000

/** Says of each name whether it is heard for the first time. */
export const createNews = (): ((name: string) => boolean) => {
  const told = new Set<string>()
  return (name) => {
    if (told.has(name)) return false
    told.add(name)
    for (const oldest of told) {
      if (told.size <= mostTold) break
      told.delete(oldest)
    }
    return true
  }
}

/** The greatest ids below one, with everything that goes by them; what is smaller is let go at once. */
export interface Selection<T> {
  /** False where adding it would change nothing. */
  wants(id: string): boolean
  add(id: string, item: T): void
  /** Greatest id first; what goes by one id in the order in which it was added. */
  all(): T[][]
}

export const createSelection = <T>(most: number, below: string | null): Selection<T> => {
  /** Ascending. */
  const ids: string[] = []
  const items = new Map<string, T[]>()

  const positionOf = (id: string): number => {
    let low = 0
    let high = ids.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ids[middle] as string) < id) low = middle + 1
      else high = middle
    }
    return low
  }

  const wants = (id: string): boolean =>
    (below === null || id < below) && (ids.length < most || id >= (ids[0] as string))

  return {
    wants,
    add(id, item) {
      if (!wants(id)) return
      const present = items.get(id)
      if (present) {
        present.push(item)
        return
      }
      ids.splice(positionOf(id), 0, id)
      items.set(id, [item])
      if (ids.length > most) items.delete(ids.shift() as string)
    },
    all: () => ids.toReversed().map((id) => items.get(id) ?? []),
  }
}

/** The first ids beyond one, with everything that goes by them; what comes later is let go at once. */
export interface Selection<T> {
  /** False where adding it would change nothing. */
  wants(id: string): boolean
  add(id: string, item: T): void
  /** In order; what goes by one id in the order in which it was added. */
  all(): T[][]
}

interface Order {
  beyond: string | null
  compare(a: string, b: string): number
}

export const createSelection = <T>(most: number, { beyond, compare }: Order): Selection<T> => {
  const ids: string[] = []
  const items = new Map<string, T[]>()

  const positionOf = (id: string): number => {
    let low = 0
    let high = ids.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(ids[middle] as string, id) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  const wants = (id: string): boolean =>
    (beyond === null || compare(beyond, id) < 0) && (ids.length < most || compare(id, ids.at(-1) as string) <= 0)

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
      if (ids.length > most) items.delete(ids.pop() as string)
    },
    all: () => ids.map((id) => items.get(id) ?? []),
  }
}

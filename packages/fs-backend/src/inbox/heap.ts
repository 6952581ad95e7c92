import { createSlices } from '../slices.ts'

/** A collection that gives out what comes first. Once it does, each step costs the logarithm of its size. */
export interface Heap<T> {
  push(item: T): void
  pop(): Promise<T | undefined>
}

export const createHeap = <T>(compare: (a: T, b: T) => number): Heap<T> => {
  const items: T[] = []
  let isOrdered = false
  let ordering: Promise<void> | undefined
  const isBefore = (a: number, b: number): boolean => compare(items[a] as T, items[b] as T) < 0
  const swap = (a: number, b: number): void => {
    const item = items[a] as T
    items[a] = items[b] as T
    items[b] = item
  }
  const rise = (from: number): void => {
    for (let at = from, parent = 0; at > 0; at = parent) {
      parent = (at - 1) >> 1
      if (!isBefore(at, parent)) return
      swap(at, parent)
    }
  }
  const sink = (from: number, end: number): void => {
    for (let at = from, first = from; ; at = first) {
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < end && isBefore(child, first)) first = child
      if (first === at) return
      swap(at, first)
    }
  }
  /** When it is first asked for: once for all is far less work than at each of many that come in. */
  const order = async (): Promise<void> => {
    const slices = createSlices()
    const end = items.length
    for (let at = (end >> 1) - 1; at >= 0; at -= 1) {
      if (slices.isOver()) await slices.next()
      sink(at, end)
    }
    // Those that came meanwhile.
    for (let at = end; at < items.length; at += 1) rise(at)
    isOrdered = true
  }
  return {
    push(item) {
      items.push(item)
      if (isOrdered) rise(items.length - 1)
    },
    async pop() {
      if (!isOrdered) {
        ordering ??= order()
        await ordering
      }
      const last = items.pop()
      if (last === undefined || items.length === 0) return last
      const first = items[0]
      items[0] = last
      sink(0, items.length)
      return first
    },
  }
}

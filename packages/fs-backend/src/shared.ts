/** Work on all items that came before it began. For each its place among them, and what all of them got. */
export type Shared<I, T> = (item: I) => Promise<{ nth: number; answer: T }>

interface Round<I, T> {
  items: I[]
  done: Promise<T>
}

/** One piece of work at a time: an item that comes while others are at work waits and shares the next, errors included. */
export const createShared = <I, T>(work: (items: readonly I[]) => Promise<T>): Shared<I, T> => {
  let atWork: Promise<unknown> = Promise.resolve()
  let next: Round<I, T> | null = null

  const open = (): Round<I, T> => {
    const items: I[] = []
    const done = atWork.then(() => {
      next = null
      return work(items)
    })
    atWork = done.catch(() => undefined)
    return { items, done }
  }

  return async (item) => {
    next ??= open()
    const { items, done } = next
    const nth = items.push(item) - 1
    return { nth, answer: await done }
  }
}

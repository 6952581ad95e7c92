/** `work` on each, at most so many at a time. Where one fails, no other is begun, and nothing is under way any more. */
export const each = async <T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> => {
  const left = items[Symbol.iterator]()
  let isFailed = false
  const run = async (): Promise<void> => {
    for (let next = left.next(); !next.done && !isFailed; next = left.next())
      await work(next.value).catch((error: unknown) => {
        isFailed = true
        throw error
      })
  }
  for (const ended of await Promise.allSettled(Array.from({ length: most }, run)))
    if (ended.status === 'rejected') throw ended.reason
}

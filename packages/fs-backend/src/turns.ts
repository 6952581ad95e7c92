/** Work on one name in turn, within this process: it need not race with itself. */
export type InTurn = <T>(name: string, work: () => Promise<T>) => Promise<T>

export const createTurns = (): InTurn => {
  const tails = new Map<string, Promise<unknown>>()
  return (name, work) => {
    const before = tails.get(name) ?? Promise.resolve()
    const result = before.then(work)
    const tail = result
      .catch(() => undefined)
      .then(() => {
        if (tails.get(name) === tail) tails.delete(name)
      })
    tails.set(name, tail)
    return result
  }
}

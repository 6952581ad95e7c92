/** Acts every so many milliseconds, but never while the last time is not over. Returns the end of it. */
export const every = (ms: number, act: () => Promise<void>, onError: (error: unknown) => void): (() => void) => {
  let isBusy = false
  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    void act()
      .catch(onError)
      .finally(() => {
        isBusy = false
      })
  }, ms)
  return () => clearInterval(timer)
}

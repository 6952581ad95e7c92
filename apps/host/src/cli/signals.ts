/** Aborts on the first SIGINT or SIGTERM; the second one ends the process at once. */
export const endSignal = (): AbortSignal => {
  const controller = new AbortController()
  for (const [name, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number)
      controller.abort()
    })
  return controller.signal
}

/** Tells the parent how long the watch took to begin and what it costs in memory, and then what is heard. */
export const tell = () => {
  const begun = performance.now()
  const before = process.memoryUsage().rss
  const ended = new AbortController()
  let isReady = false
  process.stdin.on('end', () => ended.abort()).resume()
  const heard = (project) => {
    if (isReady) process.stdout.write(`${project}\n`)
    else {
      isReady = true
      const memoryMb = (process.memoryUsage().rss - before) / 1024 / 1024
      process.stdout.write(`${JSON.stringify({ readyMs: performance.now() - begun, memoryMb })}\n`)
    }
  }
  return { signal: ended.signal, heard }
}

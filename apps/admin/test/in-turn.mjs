// The built program again and again in one process, which is begun once: each message is a call, each answer what came of it.
import { Readable } from 'node:stream'

const main = new URL('../dist/main.js', import.meta.url)
process.stdout.setMaxListeners(0)
let number = 0

const caught = (stream) => {
  const pieces = []
  const write = stream.write
  stream.write = (piece, encoding, done) => {
    pieces.push(String(piece))
    const then = typeof encoding === 'function' ? encoding : done
    if (then) process.nextTick(then)
    return true
  }
  return () => {
    stream.write = write
    return pieces.join('')
  }
}

// A test that is ended takes it along.
process.on('disconnect', () => process.exit())

process.on('message', async ({ args, input }) => {
  process.argv = [process.execPath, main.pathname, ...args]
  process.exitCode = undefined
  Object.defineProperty(process, 'stdin', { value: Readable.from([input]), configurable: true })
  const [stdout, stderr] = [caught(process.stdout), caught(process.stderr)]
  number += 1
  // Asked for under another name, the whole of main.js runs anew; what it imports is loaded already.
  await import(`${main}?${number}`)
  process.send({ status: process.exitCode ?? 0, stdout: stdout(), stderr: stderr() })
})

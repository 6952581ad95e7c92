import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A line to a server whose answers can be made late. */
export interface Line extends AsyncDisposable {
  dsn: string
  /** From now on every answer comes so much later. */
  slow(ms: number): void
}

export const openLine = async (dsn: string): Promise<Line> => {
  const target = new URL(dsn)
  const sockets = new Set<Socket>()
  let late = 0
  const carry = async (from: Socket, to: Socket, after: () => number): Promise<void> => {
    sockets.add(from)
    from.on('error', () => {})
    for await (const bytes of from) {
      await delay(after())
      to.write(bytes)
    }
    to.end()
  }
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    carry(near, far, () => 0).catch(() => {})
    carry(far, near, () => late).catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const near = new URL(dsn)
  near.port = String(typeof address === 'object' && address ? address.port : 0)
  return {
    dsn: near.href,
    slow(ms) {
      late = ms
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

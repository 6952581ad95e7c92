import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Where the one connection that carries a call goes wrong: after so many bytes of a side, counted from `cutAt` on. */
export interface CutPoint {
  side: 'request' | 'answer'
  bytes: number
  /** `silent`: nothing arrives any more, and nobody is told. `reset`: both ends are told. */
  how: 'silent' | 'reset'
}

/** A TCP proxy in front of a server, which does to it what networks do. */
export interface TcpProxy extends AsyncDisposable {
  /** The server's DSN by way of this proxy. */
  readonly dsn: string
  /** Everything passes, on new connections; those that went silent stay so. */
  pass(): Promise<void>
  /** Everything is dropped from now on and nobody is told; connections are taken and never answered. */
  drop(): void
  /** Connections are reset and refused. */
  refuse(): Promise<void>
  cutAt(point: CutPoint): void
  /** Bytes that passed since `cutAt` or `count`. */
  count(): void
  readonly passed: Readonly<Record<CutPoint['side'], number>>
}

type Mode = 'pass' | 'drop' | 'refuse'

interface Pair {
  client: Socket
  upstream: Socket
  isSilent: boolean
}

const listen = async (server: Server, port: number): Promise<number> => {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Counts what passes, and says where the armed cut is reached. */
const createMeter = () => {
  const passed = { request: 0, answer: 0 }
  let armed: CutPoint | null = null
  const reset = (point: CutPoint | null): void => {
    passed.request = 0
    passed.answer = 0
    armed = point
  }
  return {
    passed,
    reset,
    /** How much of the chunk still passes, and the cut that then comes. */
    meet(side: CutPoint['side'], size: number): { through: number; cut: CutPoint | null } {
      const before = passed[side]
      passed[side] += size
      if (armed?.side !== side || passed[side] <= armed.bytes) return { through: size, cut: null }
      const cut = armed
      armed = null
      return { through: cut.bytes - before, cut }
    },
  }
}

export const startTcpProxy = async (dsn: string): Promise<TcpProxy> => {
  const target = new URL(dsn)
  const pairs = new Set<Pair>()
  const meter = createMeter()
  let mode: Mode = 'pass'

  const end = (pair: Pair): void => {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.upstream.resetAndDestroy()
  }

  const carry = (pair: Pair, side: CutPoint['side']): void => {
    const [from, to] = side === 'request' ? [pair.client, pair.upstream] : [pair.upstream, pair.client]
    from.on('data', (chunk) => {
      if (pair.isSilent || mode === 'drop') return
      const { through, cut } = meter.meet(side, chunk.length)
      if (through > 0) to.write(chunk.subarray(0, through))
      if (cut?.how === 'silent') pair.isSilent = true
      if (cut?.how === 'reset') end(pair)
    })
    from.on('error', () => {})
    from.on('close', () => {
      // A connection that went silent tells nobody of its end either: the server goes on waiting, locks held.
      if (!pair.isSilent) end(pair)
    })
  }

  const server = createServer((client) => {
    if (mode === 'refuse') return void client.resetAndDestroy()
    const upstream = connect(Number(target.port), target.hostname)
    const pair = { client, upstream, isSilent: mode === 'drop' }
    pairs.add(pair)
    carry(pair, 'request')
    carry(pair, 'answer')
  })
  const port = await listen(server, 0)
  const through = new URL(dsn)
  through.port = String(port)
  through.hostname = '127.0.0.1'

  const close = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined
    server.close()
    for (const pair of pairs) end(pair)
    await closed
  }

  return {
    dsn: through.href,
    passed: meter.passed,
    async pass() {
      mode = 'pass'
      if (!server.listening) await listen(server, port)
    },
    drop() {
      mode = 'drop'
      for (const pair of pairs) pair.isSilent = true
    },
    async refuse() {
      mode = 'refuse'
      await close()
    },
    cutAt: (point) => meter.reset(point),
    count: () => meter.reset(null),
    [Symbol.asyncDispose]: close,
  }
}

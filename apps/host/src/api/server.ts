import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { hostFolder } from './tokens.ts'
import { writeOver } from './write-over.ts'

export interface ApiServer {
  /** `http://127.0.0.1:{port}` unless another address is listened on. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export interface ListenOptions {
  root: string
  /** Null: the last one used, else any. */
  port: number | null
  /** The address to listen on. */
  address: string
  fetch(request: Request): Response | Promise<Response>
}

/** Agents that a dead host left keep its address: the next one takes the same port if it can. */
const lastPort = async (file: string): Promise<number> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  const port = Number(/"port":\s*(\d+)/.exec(text)?.[1])
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : 0
}

/** Where programs on this machine reach it. */
const reachable = (address: string): string => {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return address.includes(':') ? `[${address}]` : address
}

const listen = async (server: Server, { port, address }: { port: number; address: string }): Promise<boolean> => {
  server.listen(port, address)
  try {
    await once(server, 'listening')
    return true
  } catch {
    return false
  }
}

/** Serves. A configured port that is taken is an error; a remembered one is not insisted on. */
export const serveApi = async ({ root, port, address, fetch }: ListenOptions): Promise<ApiServer> => {
  const file = join(hostFolder(root), 'api.json')
  const server = createServer(getRequestListener(fetch))
  if (port !== null) {
    if (!(await listen(server, { port, address })))
      throw new Error(
        `The API cannot listen on ${address}:${port}. Another program may have it: set api.port to another, or to 0.`,
      )
  } else if (!(await listen(server, { port: await lastPort(file), address }))) {
    if (!(await listen(server, { port: 0, address }))) throw new Error(`The API cannot listen on ${address}.`)
  }
  const taken = (server.address() as AddressInfo).port
  const url = `http://${reachable(address)}:${taken}`
  await writeOver(file, `${JSON.stringify({ url, port: taken, pid: process.pid }, null, 2)}\n`)
  return {
    url,
    port: taken,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500).unref()
      await closed
    },
  }
}

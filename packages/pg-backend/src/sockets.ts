import { Socket } from 'node:net'

/** The sockets of connections that may have to be given up: a server that is frozen never answers a goodbye. */
export interface Sockets {
  /** What the driver makes its connections from. */
  stream(): Socket
  /** Waits until they are closed in order, and cuts those that are left: nobody waits for a connection once given up. */
  close(inOrder: Promise<void>, patienceMs: number): Promise<void>
}

export const createSockets = (): Sockets => {
  const open = new Set<Socket>()
  return {
    stream() {
      const socket = new Socket()
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      return socket
    },
    async close(inOrder, patienceMs) {
      const cut = (): void => {
        for (const socket of open) socket.destroy()
      }
      const late = setTimeout(cut, patienceMs)
      await inOrder.finally(() => {
        clearTimeout(late)
        cut()
      })
    },
  }
}

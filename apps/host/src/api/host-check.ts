import { isIP } from 'node:net'

export interface HostCheckOptions {
  /** The address that is listened on. */
  listen: string
  /** Names under which others reach it, where that is not the loopback address. */
  hosts: readonly string[]
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i

const isLoopback = (address: string): boolean => loopback.test(address) || address === '::1'

/** What stands before the port, in small letters; null for what is no host. */
const nameIn = (host: string): string | null =>
  /^(\[[0-9a-f:.]+\]|[^:/@\s]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase() ?? null

/**
 * Whether a request may be answered, by its Host and Origin. A page in a browser must not reach us: neither under a name
 * that resolves to us, nor from another origin. An address is no such name.
 */
export const createHostCheck = ({ listen, hosts }: HostCheckOptions) => {
  const known = new Set(hosts.map((name) => name.toLowerCase()))
  const isOpen = !isLoopback(listen)
  const isNamed = (name: string | null): boolean => name !== null && (isLoopback(name) || (isOpen && known.has(name)))
  const isAddress = (name: string | null): boolean => name !== null && isIP(name.replace(/^\[|\]$/g, '')) > 0
  return (host: string | undefined, origin: string | undefined): boolean => {
    const name = nameIn(host ?? '')
    if (!isNamed(name) && !(isOpen && isAddress(name))) return false
    if (origin === undefined) return true
    return isNamed(nameIn(/^https?:\/\/(.+)$/i.exec(origin)?.[1] ?? ''))
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { eachItem, type HostStateStore, type InboxStore, isStoreError, StoreError } from '@nexus/core'
import { endQuiet, ownerLife, quietHosts, requestQuiet } from '@nexus/host/moving'

/** Where hosts are reached, as they route it now. */
export interface HostStores {
  hostState: HostStateStore
  inbox: InboxStore
}

export interface QuietOptions {
  /** Names the request. */
  id: string
  signal: AbortSignal
  /** How long to wait for hosts that do not answer, in milliseconds. */
  patienceMs: number
  /** Hears of the hosts that are waited for, whenever they change. */
  onWaiting(hosts: readonly string[]): void
  now(): number
}

/** Between two looks at the answers, and between two beats of the request, in milliseconds. */
const lookMs = 500
const beatMs = 5_000

/** Hosts that may be at work: they hold a task, and nothing proves them dead. One that holds none is stopped by the closed store. */
const holdersOf = async ({ inbox }: HostStores): Promise<string[]> => {
  const holders = new Set<string>()
  for await (const { claimedBy } of eachItem((page) => inbox.list({ ...page, status: 'processing' })))
    if (claimedBy !== null) holders.add(claimedBy)
  return [...holders].filter((worker) => ownerLife(worker) !== 'dead').sort()
}

export interface Quieted extends AsyncDisposable {
  /** Hosts that did not answer in time. */
  silent: string[]
}

/** A closed store has no hosts to be asked any more. */
const unlessMoved = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch (error) {
    if (!(error instanceof StoreError) || error.movedTo === undefined) throw error
  }
}

const beatOn = (hostState: HostStateStore, id: string): (() => void) => {
  let beat = 1
  const timer = setInterval(() => {
    beat += 1
    // A missed beat says nothing: hosts wait for half a minute, and what closes the store is not this request.
    void requestQuiet(hostState, { id, beat }).catch((error: unknown) => {
      if (!isStoreError(error)) throw error
    })
  }, beatMs)
  return () => clearInterval(timer)
}

/**
 * Asks the hosts to begin nothing new, and waits until each that holds a task has answered or is dead. Disposing ends the
 * beat alone: the request is taken back by `welcomeHosts`, or forgotten by the hosts in half a minute.
 */
export const quietDown = async (stores: HostStores, options: QuietOptions): Promise<Quieted> => {
  const { id, signal, patienceMs, onWaiting, now } = options
  await requestQuiet(stores.hostState, { id, beat: 1 })
  const end = beatOn(stores.hostState, id)
  const since = now()
  let told = ''
  try {
    for (;;) {
      const answered = await quietHosts(stores.hostState, id)
      const silent = (await holdersOf(stores)).filter((worker) => !answered.includes(worker))
      if (silent.length > 0 && silent.join() !== told) onWaiting(silent)
      told = silent.join()
      if (silent.length === 0 || now() - since >= patienceMs)
        return { silent, [Symbol.asyncDispose]: async () => end() }
      await delay(lookMs, undefined, { signal })
    }
  } catch (error) {
    end()
    throw error
  }
}

/** Hosts on these stores begin new work again. */
export const welcomeHosts = ({ hostState }: Pick<HostStores, 'hostState'>): Promise<void> =>
  unlessMoved(endQuiet(hostState))

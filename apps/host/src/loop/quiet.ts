import {
  type Clock,
  type HostStateStore,
  isJsonObject,
  isStoreError,
  type JsonValue,
  type Logger,
  parseJson,
  type Records,
  StoreError,
} from '@nexus/core'
import { quietKeys } from '../task/quiet-keys.ts'

const member = 'quiet'

/** A request whose beat stands still for longer is from one that is gone, in milliseconds. */
const beatMs = 30_000

/** Between two looks at whether a start may go on, in milliseconds. */
const startLookMs = 100

interface Request {
  id: string
  /** Grows while whoever asks is there. */
  beat: number
}

const requestIn = (control: JsonValue | undefined): Request | null => {
  const value = isJsonObject(control) ? control[member] : undefined
  if (!isJsonObject(value) || typeof value['id'] !== 'string' || typeof value['beat'] !== 'number') return null
  return { id: value['id'], beat: value['beat'] }
}

/**
 * Asks all hosts on these stores to begin nothing new for now: no claim, no agent, no report taken in. Agents go on. To be
 * repeated every few seconds with a greater beat, for hosts forget a request that stands still for half a minute.
 */
export const requestQuiet = async (hostState: Pick<HostStateStore, 'patch'>, request: Request): Promise<void> => {
  await hostState.patch(quietKeys.hostControl, { entries: { [member]: { ...request } } })
}

/** Hosts begin new work again, and their answers are forgotten. */
export const endQuiet = async (hostState: Pick<HostStateStore, 'load' | 'patch' | 'delete'>): Promise<void> => {
  const control = await hostState.load(quietKeys.hostControl)
  const members = isJsonObject(control?.value) ? Object.keys(control.value) : []
  const isAlone = control !== null && members.join() === member
  const deleted = isAlone && (await hostState.delete(quietKeys.hostControl, { ifRev: control.rev })).status
  // What is there besides was asked for by others, perhaps this moment.
  if (members.includes(member) && deleted !== 'deleted')
    await hostState.patch(quietKeys.hostControl, { remove: [member] })
  await hostState.delete(quietKeys.quietHosts)
}

/** Takes the request out of a host state that is closed already: what hosts were asked there is not theirs to take along. */
export const forgetQuiet = async (records: Pick<Records, 'find' | 'write' | 'remove'>): Promise<void> => {
  const { hostControl, quietHosts: answers } = quietKeys
  await records.remove('hostState', [answers])
  const [record] = await records.find('hostState', [hostControl])
  const parsed = parseJson(record?.data ?? '')
  if (!record || !parsed.ok || !isJsonObject(parsed.value) || !(member in parsed.value)) return
  const { [member]: _, ...others } = parsed.value
  if (Object.keys(others).length === 0) await records.remove('hostState', [hostControl])
  else await records.write('hostState', [{ ...record, data: JSON.stringify(others) }])
}

/** The workers that have answered this request. */
export const quietHosts = async (hostState: Pick<HostStateStore, 'load'>, id: string): Promise<string[]> => {
  const value = (await hostState.load(quietKeys.quietHosts))?.value
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([worker, answered]) => (answered === id ? [worker] : []))
}

/** Whether this host is asked to begin nothing new for now, because its stores are about to move. */
export interface Quiet {
  readonly isAsked: boolean
  /** Where the store cannot be reached, it is as it was. */
  look(): Promise<void>
  /** Begins an agent; waits for that while nothing new is to begin. */
  start<T>(begin: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export interface QuietOptions {
  hostState: Pick<HostStateStore, 'load' | 'patch'>
  worker: string
  clock: Pick<Clock, 'monotonic'>
  logger: Pick<Logger, 'info'>
  /** Ends after so many milliseconds, or throws when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

const readControl = async (hostState: QuietOptions['hostState']): Promise<JsonValue | undefined> => {
  try {
    return (await hostState.load(quietKeys.hostControl))?.value ?? null
  } catch (error) {
    if (error instanceof StoreError && error.code !== 'invalid') return undefined
    throw error
  }
}

export const createQuiet = ({ hostState, worker, clock, logger, wait }: QuietOptions): Quiet => {
  let seen: Request | null | undefined
  /** When the beat was last seen to change; a request that was there before us is from one that may be gone. */
  let beatAt: number | null = null
  let answered: string | null = null
  let starting = 0

  const isAsked = (): boolean => !!seen && beatAt !== null && clock.monotonic() - beatAt < beatMs

  const answer = async (): Promise<void> => {
    // What was begun before the request is over first: an answer says that nothing new begins any more.
    if (!seen || answered === seen.id || starting > 0) return
    const { id } = seen
    logger.info('the stores are about to move; nothing new is begun until then')
    try {
      await hostState.patch(quietKeys.quietHosts, { entries: { [worker]: id } })
      answered = id
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
  }

  return {
    get isAsked() {
      return isAsked()
    },
    async look() {
      const control = await readControl(hostState)
      if (control === undefined) return
      const [before, request] = [seen, requestIn(control)]
      seen = request
      if (before !== undefined && request && (before?.id !== request.id || before.beat !== request.beat))
        beatAt = clock.monotonic()
      if (isAsked()) await answer()
      else if (before && answered !== null && !request) {
        answered = null
        logger.info('the stores stay; work goes on')
      }
    },
    async start(begin, signal) {
      while (isAsked()) await wait(startLookMs, signal)
      starting += 1
      try {
        return await begin()
      } finally {
        starting -= 1
      }
    },
  }
}

import { type HostStateStore, isJsonObject, isStoreError, type JsonValue, type Logger } from '@nexus/core'
import { stateKeys } from '../task/host-records.ts'

const member = 'drain'

/** Undefined where it cannot be known now. */
const readRequest = async (hostState: Pick<HostStateStore, 'load'>): Promise<JsonValue | undefined> => {
  try {
    const value = (await hostState.load(stateKeys.hostControl))?.value
    return isJsonObject(value) ? (value[member] ?? null) : null
  } catch (error) {
    if (isStoreError(error, 'unavailable')) return undefined
    if (isStoreError(error, 'corrupt')) return null
    throw error
  }
}

/** Asks all hosts that are at work on these stores to finish what runs and end. Those that start later are not meant. */
export const requestDrain = async (hostState: Pick<HostStateStore, 'patch'>, id: string): Promise<void> => {
  await hostState.patch(stateKeys.hostControl, { entries: { [member]: id } })
}

/** Whether this host was asked to drain since its first look. */
export interface Drain {
  readonly isRequested: boolean
  /** Where the store cannot be reached, nothing was asked for. */
  look(): Promise<void>
}

export const createDrain = (hostState: Pick<HostStateStore, 'load'>, logger: Pick<Logger, 'info'>): Drain => {
  let first: JsonValue | undefined
  let isRequested = false
  return {
    get isRequested() {
      return isRequested
    },
    async look() {
      const request = await readRequest(hostState)
      if (request === undefined) return
      if (first === undefined) first = request
      if (request === first || isRequested) return
      isRequested = true
      logger.info('the host was asked to drain')
    },
  }
}

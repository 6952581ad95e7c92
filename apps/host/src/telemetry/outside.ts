import type { HostOptions } from '../host.ts'
import type { Availability } from '../loop/availability.ts'
import type { Holds } from '../loop/hold.ts'
import { version } from '../version.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createReadiness, type Phase, type Readiness } from './readiness.ts'
import { createStorageReadings, plainStorage } from './storage.ts'

/** What can be asked of a host by who only looks. */
export interface Outside {
  health(): { status: 'ok'; version: string; uptime_seconds: number }
  readiness(): Promise<Readiness>
  metrics: Metrics
}

export interface OutsideOptions {
  options: Pick<HostOptions, 'config' | 'stores' | 'clock' | 'storage' | 'withProcessMetrics'>
  holds: Holds
  availability: Pick<Availability, 'isWaiting'>
  phase(): Phase
}

export const createOutside = ({ options, holds, availability, phase }: OutsideOptions): Outside => {
  const { config, stores, clock, storage = plainStorage, withProcessMetrics: withProcess = false } = options
  const { fallsBack } = storage
  const readings = createStorageReadings({ storage, inbox: stores.inbox, clock })
  const startedAt = clock.monotonic()
  return {
    health: () => ({ status: 'ok', version, uptime_seconds: Math.round((clock.monotonic() - startedAt) / 1000) }),
    readiness: createReadiness({ readings, fallsBack, phase, isClaimFailing: () => availability.isWaiting('claim') }),
    metrics: createMetrics({ config, version, clock, readings, fallsBack, holds, withProcess }),
  }
}

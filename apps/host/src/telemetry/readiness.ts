import type { JournalState, StorageRow } from '@nexus/router'
import type { Storage, StorageReadings } from './storage.ts'

/** Where a host is between its start and its end. */
export type Phase = 'starting' | 'running' | 'draining' | 'stopping'

/** `fallback`: its backend is down, and the journal answers in its place. */
export type StoreCondition = 'ok' | 'fallback' | 'down'

export interface Readiness {
  isReady: boolean
  /** Why it is not ready. */
  reasons: string[]
  stores: Record<string, StoreCondition>
}

export interface ReadinessOptions {
  readings: Pick<StorageReadings, 'stores' | 'journal'>
  fallsBack: Storage['fallsBack']
  phase(): Phase
  /** Whether the last try to claim did not reach the inbox. */
  isClaimFailing(): boolean
}

/** Probes that come more often than this share one look. */
const maxAgeMs = 1_000

export const conditionOf = (
  { store, health }: StorageRow,
  { fallsBack }: Pick<Storage, 'fallsBack'>,
): StoreCondition => (health.status === 'ok' ? 'ok' : fallsBack.includes(store) ? 'fallback' : 'down')

const whyNot = (row: StorageRow, condition: StoreCondition, journal: JournalState | null): string[] => {
  if (row.health.status === 'ok') return []
  if (condition === 'down') return [`${row.store} (${row.backend}): ${row.health.reason}`]
  return journal?.isFull ? [`${row.store} (${row.backend}): the journal is full: ${journal.place}`] : []
}

/**
 * Whether this host takes tasks and carries them on: every store answers, or the journal does in its place. Asked often,
 * it looks once a second.
 */
export const createReadiness =
  ({ readings, fallsBack, phase, isClaimFailing }: ReadinessOptions) =>
  async (): Promise<Readiness> => {
    const [stores, journal] = await Promise.all([readings.stores(maxAgeMs), readings.journal(maxAgeMs)])
    const rows = (stores.value ?? []).map((row) => ({ row, condition: conditionOf(row, { fallsBack }) }))
    const reasons = rows.flatMap(({ row, condition }) => whyNot(row, condition, journal.value?.[0] ?? null))
    if (phase() !== 'running') reasons.push(`the host is ${phase()}`)
    if (stores.problem !== null) reasons.push(`the stores: ${stores.problem}`)
    if (journal.problem !== null) reasons.push(`the journal: ${journal.problem}`)
    if (isClaimFailing()) reasons.push('the inbox cannot be claimed from')
    return {
      isReady: reasons.length === 0,
      reasons,
      stores: Object.fromEntries(rows.map(({ row, condition }) => [row.store, condition])),
    }
  }

export { fallbackStores } from './fallback.ts'
export { listOutages, type OutageSummary, readOutage, replayJournal } from './journal-look.ts'
export type { OpenBackend, Registry } from './registry.ts'
export { openRouter, type RouterOptions } from './router.ts'
export {
  createJournalReader,
  type JournalState,
  journalState,
  type StorageRow,
  storageMap,
  storageMapText,
} from './status.ts'

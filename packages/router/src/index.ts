export type { OpenBackend, Registry } from './registry.ts'
export { openRouter, type RouterOptions } from './router.ts'
export { type JournalState, journalState, type StorageRow, storageMap, storageMapText } from './status.ts'

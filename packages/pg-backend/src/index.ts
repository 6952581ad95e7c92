export { type AdoptInboxOptions, type AdoptInboxResult, adoptInbox } from './adopt-inbox.ts'
export { openPgBackend, type PgBackendOptions } from './backend.ts'

export { openPgBackend, type PgBackendOptions } from './backend.ts'

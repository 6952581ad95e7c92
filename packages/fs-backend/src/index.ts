export { type FsBackendOptions, openFsBackend, openMailbox } from './backend.ts'

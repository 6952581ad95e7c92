export { type FsBackendOptions, makeInboxFolders, openFsBackend, openMailbox } from './backend.ts'

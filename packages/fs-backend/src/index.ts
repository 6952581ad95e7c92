export { type FsBackendOptions, makeInboxFolders, openFsBackend, openMailbox } from './backend.ts'
export { makeFolders } from './root.ts'

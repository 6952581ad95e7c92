export { type FsBackendOptions, makeInboxFolders, openFsBackend, openMailbox } from './backend.ts'
export { openJournalFiles } from './journal.ts'
export { makeFolders } from './root.ts'

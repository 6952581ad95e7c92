import { testBackend } from '@nexus/testkit'
import { useRouted } from './harness.ts'

testBackend({
  name: 'router: inbox and task files on files, the rest on postgres',
  open: useRouted({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_INBOX_BACKEND: 'fs', NEXUS_TASK_BACKEND: 'file' }),
})

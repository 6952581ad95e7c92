import { testRecords } from '@nexus/testkit'
import { useRouted } from './harness.ts'

testRecords({
  name: 'router → completions and inbox in postgres, the rest on files',
  open: useRouted({ NEXUS_COMPLETION_BACKEND: 'postgres', NEXUS_INBOX_BACKEND: 'postgres' }),
})

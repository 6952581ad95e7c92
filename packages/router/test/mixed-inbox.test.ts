import { testBackend } from '@nexus/testkit'
import { useRouted } from './harness.ts'

testBackend({
  name: 'router: inbox and completions on postgres, the rest on files',
  open: useRouted({ NEXUS_INBOX_BACKEND: 'postgres', NEXUS_COMPLETION_BACKEND: 'postgresql' }),
})

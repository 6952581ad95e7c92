import { testBackend } from '@nexus/testkit'
import { useRouted } from './harness.ts'

testBackend({
  name: 'router → files',
  open: useRouted({ NEXUS_STORAGE_BACKEND: 'filesystem' }),
})

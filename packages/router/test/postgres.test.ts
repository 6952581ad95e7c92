import { testBackend } from '@nexus/testkit'
import { useRouted } from './harness.ts'

testBackend({
  name: 'router → postgres',
  open: useRouted({ NEXUS_STORAGE_BACKEND: 'both' }),
})

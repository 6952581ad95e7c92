import { testBackend } from '@nexus/testkit'
import { usePostgres } from './harness.ts'

testBackend({ name: 'postgres', open: usePostgres({ reuse: true }) })

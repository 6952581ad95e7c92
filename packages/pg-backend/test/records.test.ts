import { testRecords } from '@nexus/testkit'
import { usePostgres } from './harness.ts'

testRecords({ name: 'postgres', open: usePostgres({ reuse: true }) })

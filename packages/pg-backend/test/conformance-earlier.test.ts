import { testBackend } from '@nexus/testkit'
import { earlierTables } from './earlier.ts'
import { usePostgres } from './harness.ts'

testBackend({ name: 'postgres, over tables of the earlier program', open: usePostgres({ before: earlierTables }) })

import { testBackend } from '@nexus/testkit'
import { openFsHarness } from './harness.ts'

testBackend({ name: 'files', open: openFsHarness })

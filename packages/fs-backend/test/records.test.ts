import { testRecords } from '@nexus/testkit'
import { openFsHarness } from './harness.ts'

testRecords({ name: 'files', open: openFsHarness })

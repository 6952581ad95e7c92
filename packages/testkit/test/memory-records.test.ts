import { openMemoryHarness, testRecords } from '../src/index.ts'

testRecords({ name: 'memory', open: () => openMemoryHarness() })

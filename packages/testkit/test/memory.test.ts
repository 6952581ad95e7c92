import { openMemoryHarness, testBackend } from '../src/index.ts'

testBackend({ name: 'memory', open: () => openMemoryHarness() })

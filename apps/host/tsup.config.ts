import { defineConfig } from 'tsup'
import { node } from '../../tsup.base.ts'

const entry = {
  index: 'src/index.ts',
  look: 'src/look.ts',
  runs: 'src/runs.ts',
  main: 'src/main.ts',
  moving: 'src/moving.ts',
  supervisor: 'src/supervisor.ts',
  'demo-agent': 'src/demo/agent.ts',
}

// No shared chunks: the supervisor is one file that starts fast and needs nothing else.
export default defineConfig({ ...node, entry, splitting: false })

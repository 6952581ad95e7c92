import { defineConfig } from 'tsup'
import { node } from '../../tsup.base.ts'

// No shared chunks: the supervisor is one file that starts fast and needs nothing else.
export default defineConfig({ ...node, entry: ['src/{index,main,supervisor}.ts'], splitting: false })

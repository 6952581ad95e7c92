import { defineConfig } from 'tsup'
import { node } from '../../tsup.base.ts'

export default defineConfig(node)

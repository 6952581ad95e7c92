import { defineConfig } from 'tsup'
import { node } from '../../tsup.base.ts'

export default defineConfig({ ...node, entry: ['src/main.ts'], banner: { js: '#!/usr/bin/env node' } })

import { defineConfig } from 'tsup'
import { node } from '../../tsup.base.ts'
import { rawSql } from './raw-sql.config.ts'

export default defineConfig({ ...node, esbuildPlugins: [rawSql] })

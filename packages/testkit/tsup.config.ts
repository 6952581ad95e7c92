import { defineConfig } from 'tsup'
import { node } from '../../tsup.base.ts'

export default defineConfig({
  ...node,
  entry: [
    'src/index.ts',
    'src/existing/index.ts',
    'src/postgres/cluster.ts',
    'src/postgres/pair.ts',
    'src/postgres/pgbouncer.ts',
    'src/postgres/proxy.ts',
    'src/postgres/test-dsn.ts',
  ],
})

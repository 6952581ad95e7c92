import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** What vite does by itself: a migration imported with `?raw` is its text, so that a program carries its migrations with it. */
export const rawSql: Plugin = {
  name: 'raw-sql',
  setup(build) {
    build.onResolve({ filter: /\.sql\?raw$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw-sql',
    }))
    build.onLoad({ filter: /.*/, namespace: 'raw-sql' }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
      watchFiles: [path],
    }))
  },
}

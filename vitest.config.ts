import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const rooms = [
  ...['packages', 'apps'].flatMap((top) => readdirSync(new URL(top, import.meta.url)).map((name) => `${top}/${name}`)),
  'bench',
]
const resolve = { conditions: ['nexus-source'] }

/** What each mode runs: the unit and conformance tests, the slow proofs, the tests that need a real browser, the benches. */
const kinds: Record<string, { include: string[]; testTimeout: number }> = {
  test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 60_000 },
  prove: { include: ['proof/**/*.proof.ts'], testTimeout: 900_000 },
  bench: { include: ['*.bench.ts'], testTimeout: 900_000 },
  browser: { include: ['browser/**/*.browser.ts'], testTimeout: 120_000 },
}

// Not `extends: true`: a project that extends this file would run globalSetup once more (one database cluster per package).
export default defineConfig(({ mode }) => ({
  test: {
    globalSetup: ['packages/testkit/src/postgres/global-setup.ts'],
    projects: rooms.map((root) => ({
      root,
      ...(mode === 'bench' ? {} : { ssr: { resolve } }),
      test: { name: root, hookTimeout: 120_000, passWithNoTests: true, ...(kinds[mode] ?? kinds['test']) },
    })),
  },
}))

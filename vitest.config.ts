import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const rooms = ['packages', 'apps'].flatMap((top) =>
  readdirSync(new URL(top, import.meta.url)).map((name) => `${top}/${name}`),
)
const resolve = { conditions: ['nexus-source'] }

// Not `extends: true`: a project that extends this file would run globalSetup once more (one database cluster per package).
export default defineConfig({
  test: {
    globalSetup: ['packages/testkit/src/postgres/global-setup.ts'],
    projects: rooms.map((root) => ({
      root,
      ssr: { resolve },
      test: {
        name: root,
        include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
        testTimeout: 30_000,
        hookTimeout: 60_000,
      },
    })),
  },
})

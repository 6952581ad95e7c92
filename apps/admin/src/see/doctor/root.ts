import { userInfo } from 'node:os'
import type { RootContents, Space } from '@nexus/fs-backend'
import { closeSecrets, findOpenSecrets } from '@nexus/host/look'
import { rootRepairs } from '../../compose.ts'
import { type Check, counted, type Finding, fail, ok, some, warn } from './finding.ts'
import type { Sources } from './sources.ts'

/** A check of what is below the root; none where there is no root yet, or it cannot be looked at. */
const check = (name: string, look: (contents: RootContents, sources: Sources) => Promise<Finding>): Check => ({
  name,
  async look(sources) {
    const contents = await sources.contents()
    return contents && look(contents, sources)
  },
})

const root: Check = {
  name: 'root',
  async look(sources) {
    const survey = await sources.root()
    if (!survey) return null
    const { path, contents } = survey
    if (contents === null) return ok(`${path} is not there yet; the first that opens it makes it.`)
    if (typeof contents !== 'string') return ok(`${path} can be looked at.`)
    return fail({ message: contents, fix: `Give this user a folder that it may write to, or name one with NEXUS_DIR.` })
  },
}

const mebibyte = 1024 ** 2
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

/** Below the first it is told of, below the second nothing can be relied on. */
const bounds = { share: [0.05, 0.01], bytes: [1024 * mebibyte, 64 * mebibyte], files: [10_000, 500] } as const

const room = (free: number, total: number, least: readonly [number, number]): 'ok' | 'warn' | 'fail' => {
  const isBelow = (at: 0 | 1): boolean => free < least[at] && free < total * bounds.share[at]
  return isBelow(1) ? 'fail' : isBelow(0) ? 'warn' : 'ok'
}

/** What to say of the room on the file system of a root. */
export const spaceFinding = (path: string, { freeBytes, totalBytes, freeFiles, totalFiles }: Space): Finding => {
  const space = room(freeBytes, totalBytes, bounds.bytes)
  // Some file systems do not count.
  const files = totalFiles === 0 ? 'ok' : room(freeFiles, totalFiles, bounds.files)
  const free = `${Math.floor(freeBytes / mebibyte)} MiB (${percent(freeBytes, totalBytes)}) and ${freeFiles} files are free`
  if (space === 'ok' && files === 'ok') return ok(`There is room: ${free}.`)
  const verdict = space === 'fail' || files === 'fail' ? fail : warn
  return verdict({
    message: `The file system of ${path} is nearly full: ${free}.`,
    fix: 'Free some space there; old tasks go with nexus-admin inbox purge, old runs by runs.keep_days in nexus.yaml.',
  })
}

const disk: Check = {
  name: 'disk',
  async look(sources) {
    const survey = await sources.root()
    return survey && spaceFinding(survey.path, survey.space)
  },
}

const access = check('access', async ({ denied }, { root: survey, config }) => {
  const { paths, own, looked } = denied
  if (paths.length === 0) return ok(`This user may read and write what is there (${looked} looked at).`)
  const known = config()
  const isAllOwn = own.length === paths.length
  return fail({
    message: `This user may not read and write ${counted(paths.length, 'file or folder')} below the root.`,
    detail: some(paths),
    fix: isAllOwn
      ? `chmod u+rwX ${paths[0]}; --fix does it for all of them.`
      : `As root: chown -R ${userInfo().username} ${(await survey())?.path}`,
    ...(isAllOwn && known && { mend: async () => (await rootRepairs(known)).openToOwner(own) }),
  })
})

const secrets = check('secrets', async ({ mode }, { root: survey, config }) => {
  const known = config()
  const path = (await survey())?.path ?? ''
  const open = await findOpenSecrets(path)
  const isShared = (mode & 0o022) !== 0
  if (open.length === 0 && !isShared) return ok('Nobody else may read the secrets below the root, or write into it.')
  const shown = (at: string, bits: number): string => `${at}: mode ${bits.toString(8)}`
  return warn({
    message: isShared ? 'Others may write into the root.' : `Others may read ${counted(open.length, 'secret')}.`,
    detail: some([...(isShared ? [shown(path, mode)] : []), ...open.map((each) => shown(each.path, each.mode))]),
    fix: `chmod go-${isShared ? `w ${path}` : `rwx ${open[0]?.path}`}; --fix does it.`,
    ...(known && {
      async mend() {
        await closeSecrets(open)
        if (isShared) (await rootRepairs(known)).closeToOthers(path)
      },
    }),
  })
})

const tempFiles = check('temp-files', async ({ strays }, { config }) => {
  const known = config()
  if (strays.length === 0) return ok('No process left a temp file behind.')
  return warn({
    message: `${counted(strays.length, 'temp file')} of processes that are gone.`,
    detail: some(strays),
    fix: 'Have them removed, after what those processes had decided is finished: nexus-admin doctor --fix; the next host does it too.',
    ...(known && { mend: async () => (await rootRepairs(known)).sweep() }),
  })
})

/** What lies below the root besides records. */
export const rootChecks: readonly Check[] = [root, disk, access, secrets, tempFiles]

import {
  type BackendName,
  type Config,
  type CorruptEntry,
  type Moved,
  type StoreName,
  storeNames,
  storeVariables,
} from '@nexus/core'
import { type Check, counted, fail, ok, some, warn } from './finding.ts'
import type { Sources } from './sources.ts'

/** What both backends tell of the records that they keep; those that are not there say nothing. */
const keptBy = async (sources: Sources) => {
  const server = await sources.server()
  return { filesystem: await sources.contents(), postgres: server?.contents ?? null }
}

const journal: Check = {
  name: 'journal',
  async look({ journal: read, contents }) {
    if (!(await contents())) return null
    const state = await read()
    if (!state) return ok('No outage left anything to apply.')
    const { operations, place, isFull } = state
    const finding = {
      message: `${counted(operations, 'operation')} of an outage ${operations === 1 ? 'is' : 'are'} not applied yet.`,
      detail: [place],
      fix: `Start a host of this root: it applies them once the database is back; or: nexus-admin journal replay. To look: nexus-admin journal ls`,
    }
    return isFull ? fail({ ...finding, message: `${finding.message} The journal is full.` }) : warn(finding)
  },
}

const conflicts: Check = {
  name: 'conflicts',
  async look(sources) {
    const { postgres } = await keptBy(sources)
    if (!postgres) return null
    if (postgres.conflicts === 0) return ok('Nobody has to decide between two values.')
    return warn({
      message: `${counted(postgres.conflicts, 'conflict')} of an outage to be decided.`,
      fix: 'nexus-admin journal conflicts, then nexus-admin journal resolve <id> --take ours|theirs',
    })
  },
}

const quarantine: Check = {
  name: 'quarantine',
  async look(sources) {
    const { filesystem, postgres } = await keptBy(sources)
    if (!filesystem && !postgres) return null
    const files = filesystem?.quarantined ?? []
    const rows = postgres?.quarantined ?? 0
    if (files.length + rows === 0) return ok('Nothing unreadable was put aside.')
    return warn({
      message: `${counted(files.length + rows, 'copy', 'copies')} of content that could be lost ${files.length + rows === 1 ? 'was' : 'were'} put aside.`,
      detail: some([...files, ...(rows > 0 ? [`table nexus_quarantine: ${counted(rows, 'row')}`] : [])]),
      fix:
        files.length > 0
          ? `Look at them, take back what is missed, then remove them: rm ${files[0]}`
          : 'Look at them: SELECT * FROM nexus_quarantine; then DELETE those that nobody misses.',
    })
  },
}

const placeText = ({ place, reason }: CorruptEntry): string => `${place}: ${reason}`

const unreadable: Check = {
  name: 'records',
  async look(sources) {
    const { filesystem, postgres } = await keptBy(sources)
    const looks = [filesystem?.unreadable, postgres?.unreadable].filter((each) => each != null)
    if (looks.length === 0) return null
    const entries = looks.flatMap((each) => each.entries)
    const looked = looks.reduce((sum, each) => sum + each.looked, 0)
    const rest = looks.every(({ isAll }) => isAll) ? 'all' : 'not all: --deep looks at the rest'
    if (entries.length === 0) return ok(`${counted(looked, 'record')} can be read (${rest}).`)
    return fail({
      message: `${counted(entries.length, 'record')} cannot be read (${looked} looked at, ${rest}).`,
      detail: some(entries.map(placeText)),
      fix: `Restore ${entries[0]?.place} from a backup, or save it anew; a copy is kept in the quarantine then.`,
    })
  },
}

const other = (name: BackendName): BackendName => (name === 'filesystem' ? 'postgres' : 'filesystem')

type Kept = Awaited<ReturnType<typeof keptBy>>

const markOf = (kept: Kept, name: BackendName, store: StoreName): Moved | undefined =>
  kept[name]?.moved.find((mark) => mark.store === store)

/** What moved stays where it was until the move is finished, and nothing reads it there. */
const isLeft = (store: StoreName, { routes }: Config, kept: Kept): boolean => {
  const name = other(routes[store].backend)
  return kept[name]?.kept[store] === true && !markOf(kept, name, store)
}

const moved: Check = {
  name: 'moved',
  async look(sources) {
    const config = sources.config()
    if (!config) return null
    const kept = await keptBy(sources)
    const used = [...new Set(storeNames.map((store) => config.routes[store].backend))]
    if (!used.some((name) => kept[name])) return null
    const marks = storeNames.flatMap((store) => markOf(kept, config.routes[store].backend, store) ?? [])
    const [first] = marks
    if (!first) return ok('No store is routed to where it has moved away from.')
    const from = config.routes[first.store].backend
    return fail({
      message: `${marks.map(({ store }) => store).join(', ')}: moved away from where it is routed to.`,
      detail: marks.map(({ store, to, at }) => `${store} moved to ${to} at ${at.toISOString()}`),
      fix: `Set ${marks.map(({ store, to }) => `${storeVariables[store]}=${to}`).join(' ')} for every program; or take it back: nexus-admin migrate undo --from ${from} --to ${first.to} --store ${marks.map(({ store }) => store).join(',')}`,
    })
  },
}

const otherBackend: Check = {
  name: 'other-backend',
  async look(sources) {
    const config = sources.config()
    if (!config) return null
    const kept = await keptBy(sources)
    if (!kept.filesystem || !kept.postgres) return null
    const left = storeNames.filter((store) => isLeft(store, config, kept))
    const [first] = left
    if (first === undefined) return ok('No store has records where it is not routed to.')
    const elsewhere = (store: StoreName): BackendName => other(config.routes[store].backend)
    return warn({
      message: `${left.join(', ')}: records lie where nothing reads them.`,
      detail: left.map(
        (store) => `${store} is kept in ${config.routes[store].backend}; ${elsewhere(store)} has records too`,
      ),
      fix: `See what differs: nexus-admin diff --from ${elsewhere(first)} --to ${config.routes[first].backend} --store ${first}; to move them: nexus-admin migrate plan --from ${elsewhere(first)} --to ${config.routes[first].backend} --store ${first}; or route it back: ${storeVariables[first]}=${elsewhere(first)}`,
    })
  },
}

/** What the stores keep, and what outages and mishaps left of it. */
export const recordChecks: readonly Check[] = [journal, conflicts, quarantine, unreadable, otherBackend, moved]

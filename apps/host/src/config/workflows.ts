import { basename, dirname, extname, resolve } from 'node:path'
import {
  checkWorkflow,
  linkTiers,
  listsFrom,
  type Path,
  type ReadWorkflow,
  readWorkflow,
  roleOf,
  type Tier,
  tiers,
  type Workflows,
} from '@nexus/engine'
import type { HostFile } from './schema.ts'
import { type ConfigProblem, openSource, type Source } from './source.ts'

/** The workflows of a configuration, and what is wrong with them. */
export interface WorkflowLibrary {
  /** By name; null for one that cannot be read. */
  readonly workflows: Map<string, ReadWorkflow | null>
  readonly problems: ConfigProblem[]
  /** Adds the workflow in a file that a project names itself; its name. */
  addFile(file: string, at: Path): string
  /** A dry run of every workflow in every tier. Null for roles that are not known. */
  check(roles: ReadonlySet<string> | null): ConfigProblem[]
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The roles of the agents, as far as they are written; null where they are not. */
export const rolesIn = (value: unknown): Set<string> | null => {
  const agents = isMembers(value) ? value['agents'] : null
  return isMembers(agents) && Object.keys(agents).length > 0 ? new Set(Object.keys(agents).map(roleOf)) : null
}

/** A path in a configuration file, which is relative to that file. */
export const besides = (hostFile: string, file: string): string => resolve(dirname(hostFile), file)

export const isFileName = (name: string): boolean => /\.ya?ml$/i.test(name)

/** Tiers that run other lists than those before them: mostly all run the same. */
const differingTiers = (workflows: Workflows, name: string): Tier[] => {
  const runs = tiers.map((tier) => [...listsFrom(workflows, name, tier).values()])
  const isSame = (one: readonly unknown[], other: readonly unknown[] | undefined): boolean =>
    one.length === other?.length && one.every((list, at) => list === other[at])
  return tiers.filter((_, index) => runs.findIndex((lists) => isSame(lists, runs[index])) === index)
}

/** Reads the workflows of a host file, as far as it can be read at all. */
export const openWorkflows = (hostSource: Source, hostFile: string): WorkflowLibrary => {
  const workflows = new Map<string, ReadWorkflow | null>()
  const places = new Map<string, { source: Source; base: Path; file: string | null }>()
  const problems: ConfigProblem[] = []
  const read = (name: string, written: unknown, source: Source, base: Path, file: string | null): void => {
    const { workflow, problems: found } = readWorkflow(name, written)
    workflows.set(name, workflow)
    places.set(name, { source, base, file })
    problems.push(...found.map(({ severity, path, message }) => source.problem(severity, [...base, ...path], message)))
  }
  const readFile = (name: string, file: string, at: Path): void => {
    const absolute = besides(hostFile, file)
    const advice = 'Name a YAML file; its path is relative to this one.'
    const { source, problems: found } = openSource(absolute, advice)
    if (source) {
      read(name, source.value, source, [], absolute)
      return
    }
    workflows.set(name, null)
    const isThere = found.every(({ line }) => line > 0)
    problems.push(...(isThere ? found : [hostSource.problem('error', at, `${absolute} cannot be read. ${advice}`)]))
  }
  const section = isMembers(hostSource.value) ? hostSource.value['workflows'] : null
  for (const [name, written] of Object.entries(isMembers(section) ? section : {})) {
    const at = ['workflows', name]
    if (typeof written === 'string' && written !== '') readFile(name, written, at)
    else if (isMembers(written)) read(name, written, hostSource, at, null)
  }
  return {
    workflows,
    problems,
    addFile(file, at) {
      const absolute = besides(hostFile, file)
      const known = [...places].find(([, place]) => place.file === absolute)
      if (known) return known[0]
      const stem = basename(file, extname(file))
      const name = workflows.has(stem) ? file : stem
      if (!workflows.has(name)) readFile(name, file, at)
      return name
    },
    check(roles) {
      const names = new Set(workflows.keys())
      const ofTier = (name: string, tier: Tier): ConfigProblem[] => {
        const lists = listsFrom(workflows, name, tier)
        const linked = linkTiers(workflows, name)[tier]
        if (!linked) return []
        return checkWorkflow(linked, { roles, workflows: names }).flatMap(({ severity, workflow, path, message }) => {
          const place = places.get(workflow)
          const list = lists.get(workflow)
          return place && list ? [place.source.problem(severity, [...place.base, ...list.path, ...path], message)] : []
        })
      }
      return [...workflows.keys()].flatMap((name) =>
        differingTiers(workflows, name).flatMap((tier) => ofTier(name, tier)),
      )
    },
  }
}

/** What a host file names in `workflows`, for a person who named something else. */
export const knownWorkflows = ({ workflows }: Pick<HostFile, 'workflows'>): string => Object.keys(workflows).join(', ')

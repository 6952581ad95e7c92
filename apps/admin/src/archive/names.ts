import { type NameKind, nameProblem, type StoreName, type StoreRecords } from '@nexus/core'

type Named = readonly [kind: NameKind, name: string | null]

const named: { readonly [S in StoreName]: (record: StoreRecords[S]) => readonly Named[] } = {
  workflows: ({ id, project, issueNumber }) => [
    ['workflowId', id],
    ['project', project],
    ['issueNumber', issueNumber],
  ],
  completions: ({ project, issueNumber, agentType }) => [
    ['project', project],
    ['issueNumber', issueNumber],
    ['agentType', agentType],
  ],
  hostState: ({ key }) => [['stateKey', key]],
  taskFiles: ({ project, filename, issueNumber }) => [
    ['project', project],
    ['filename', filename],
    ['issueNumber', issueNumber],
  ],
  inbox: ({ project, filename, issueNumber }) => [
    ['project', project],
    ['filename', filename],
    ['issueNumber', issueNumber],
  ],
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const leadsAway = /(^|[/\\])\.\.?([/\\]|$)|^[/\\]|[\u0000-\u001f\u007f]/

export interface NameOptions {
  /** Takes names that other programs gave, which we would not create: `acme/web`, `chat:-100`. Never one that leads out of a folder. */
  foreignNames?: boolean
}

/** Why a record of this name is not taken from an archive, or null. [C-ALL-5] */
export const archivedNameProblem = <S extends StoreName>(
  store: S,
  record: StoreRecords[S],
  { foreignNames = false }: NameOptions,
): string | null => {
  if ('epoch' in record && leadsAway.test(record.id))
    return `holds the task id ${JSON.stringify(record.id.slice(0, 60))}, which leads out of its folder`
  for (const [kind, name] of named[store](record)) {
    if (name === null) continue
    const problem = nameProblem(kind, name)
    if (problem === null) continue
    const shown = JSON.stringify(name.slice(0, 60))
    if (leadsAway.test(name)) return `holds the name ${shown}, which ${problem} and leads out of its folder`
    if (!foreignNames) return `holds the name ${shown}, which ${problem} (--foreign-names takes it)`
  }
  return null
}

import * as moved from '../src/statements/moved.ts'
import * as records from '../src/statements/records.ts'
import * as inbox from '../src/statements/records-inbox.ts'
import { crowded } from './crowd.ts'
import type { Given } from './hot-statements.ts'

/** Statements of whole records: what they look at grows with what they are given, never with the tables. */
export const recordModules = { moved, records, recordsInbox: inbox }

const page = 100
const now = new Date().toISOString()
const { project } = crowded
const pages = [false, true]

const pageStatements = (): Given[] =>
  pages.flatMap((after) => [
    {
      name: `pageWorkflows ${after}`,
      statement: records.pageWorkflows({ after }),
      values: [page, ...(after ? ['p5-5-full'] : [])],
      most: page,
    },
    {
      name: `pageCompletions ${after}`,
      statement: records.pageCompletions({ after }),
      values: [page, ...(after ? [500] : [])],
      most: page,
    },
    {
      name: `pageHostState ${after}`,
      statement: records.pageHostState({ after }),
      values: [page, ...(after ? ['k5'] : [])],
      most: page,
    },
    // With a look at the others of its name for each.
    {
      name: `pageTaskFiles ${after}`,
      statement: records.pageTaskFiles({ after }),
      values: [page, ...(after ? [500] : [])],
      most: 3 * page,
    },
    {
      name: `pageTasks ${after}`,
      statement: inbox.pageTasks({ after }),
      values: [page, ...(after ? [500] : [])],
      most: page,
    },
  ])

const ids = Array.from({ length: 10 }, (_, n) => `p${n}-${n}-full`)
const keys = Array.from({ length: 10 }, (_, n) => `h${n + 1}`)
const ten = <T>(value: T): T[] => Array.from({ length: 10 }, () => value)
const names = Array.from({ length: 10 }, (_, n) => `${n + 1}.md`)
const numbers = Array.from({ length: 10 }, (_, n) => n + 1)
const stateKeys = numbers.map((n) => `k${n}`)
const identity = [ten(project), ten(crowded.issue), numbers.map((n) => `a${n}`), ten('complete')]
const files = [ten(project), names, ten('closed')]
const words = [ten('s'), ten('r'), ten('{}')]

const storeStatements = (): Given[] => [
  { name: 'findWorkflows', statement: records.findWorkflows, values: [ids] },
  {
    name: 'writeWorkflows',
    statement: records.writeWorkflows.over,
    values: [ids, ten('n'), ten('running'), ten(0), ten('{}'), ten(project), ten('7'), ten(now), ten(now)],
  },
  { name: 'removeWorkflows', statement: records.removeWorkflows, values: [ids] },
  { name: 'findCompletions', statement: records.findCompletions, values: [keys] },
  {
    name: 'writeCompletions',
    statement: records.writeCompletions.over,
    values: [keys, ...identity, ...words, numbers, ten(now), ten(now), ten(true), 5],
  },
  { name: 'displaceCompletions', statement: records.displaceCompletions, values: identity },
  { name: 'removeCompletions', statement: records.removeCompletions, values: [keys] },
  { name: 'writeHostState', statement: records.writeHostState.over, values: [stateKeys, ten('{}'), ten(now)] },
  { name: 'findTaskFiles', statement: records.findTaskFiles, values: files },
  { name: 'idsOfTaskFiles', statement: records.idsOfTaskFiles, values: files },
  {
    name: 'writeTaskFiles',
    statement: records.writeTaskFiles,
    values: [numbers, ...files, ten('text'), ten('1'), ten(now), ten(now), names],
  },
  { name: 'displaceTaskFiles', statement: records.displaceTaskFiles, values: [names] },
  { name: 'removeTaskFiles', statement: records.removeTaskFiles, values: [numbers] },
]

const took = [ten(true), ten(true), ten(true)]

const inboxStatements = (): Given[] => [
  { name: 'findTaskRecords', statement: inbox.findTaskRecords, values: [numbers, ['none', 'other']] },
  { name: 'removeTaskRecords', statement: inbox.removeTaskRecords, values: [numbers, ['none', 'other']] },
  { name: 'makeRoom', statement: inbox.makeRoom, values: [numbers] },
  {
    name: 'writeTasks',
    statement: inbox.writeTasks.over,
    values: [
      [...numbers.slice(5), ...ten(null).slice(5)],
      [...ten(null).slice(5), ...names.slice(5)],
      ten('new'),
      ten(''),
      names,
      ten('text'),
      ten('processing'),
      ten(0),
      ten(now),
      numbers,
      names.map((name) => `new ${name}`),
      ...[ten(0), ten(0), ten(3), ten(1), ten(false), ten(null), ten(now), ten(null), ten('w'), ten(1000)],
      ...took,
      5,
    ],
  },
  {
    name: 'displaceTasks',
    statement: inbox.displaceTasks,
    values: [ten('twins'), ten(''), ten('same.md'), numbers, numbers.map((n) => `twin ${n}`), ...took],
  },
]

const markStatements = (): Given[] => [
  { name: 'markMoved', statement: moved.markMoved, values: [['inbox'], ['another'], [now], ['m1'], ['m0']] },
]

export const recordStatements = (): Given[] => [
  ...pageStatements(),
  ...storeStatements(),
  ...inboxStatements(),
  ...markStatements(),
]

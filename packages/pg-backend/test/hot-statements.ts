import type { Statement } from '../src/query.ts'
import * as applied from '../src/statements/applied.ts'
import * as completions from '../src/statements/completions.ts'
import * as conflicts from '../src/statements/conflicts.ts'
import * as hostState from '../src/statements/host-state.ts'
import * as inbox from '../src/statements/inbox.ts'
import * as claim from '../src/statements/inbox-claim.ts'
import * as holder from '../src/statements/inbox-holder.ts'
import * as operator from '../src/statements/inbox-operator.ts'
import * as queue from '../src/statements/inbox-queue.ts'
import * as recovery from '../src/statements/inbox-recovery.ts'
import * as taskFiles from '../src/statements/task-files.ts'
import * as workflows from '../src/statements/workflows.ts'
import { type CrowdSize, crowded } from './crowd.ts'
import type { Explainer } from './explain.ts'
import { recordModules, recordStatements } from './record-statements.ts'

export interface HotStatement {
  name: string
  statement: Statement
  values: readonly unknown[]
  /** Rows that it may look at; a few, unless given. */
  most: number
}

export type Given = Omit<HotStatement, 'most'> & { most?: number }

const few = 60
const page = 11
/** Where a generic plan thinks of the largest page, it may sort that many. */
const pageRows = 1100
const { project, issue } = crowded
const now = new Date().toISOString()
const flags = [false, true]

/** Every statement of the sources must be among these. */
export const modules = {
  applied,
  completions,
  conflicts,
  hostState,
  inbox,
  claim,
  holder,
  operator,
  queue,
  recovery,
  taskFiles,
  workflows,
  ...recordModules,
}

/** What reads all that it is asked to look through: an operator's purge, and host state and marks of what moved, which are few. */
export const slow = [
  'purgeTasks',
  'listHostStateKeys',
  'findHostState',
  'removeHostState',
  'listMoved',
  'unmarkMoved',
  'readIdentity',
]

const identity = [project, issue, 'a5', 'complete']
const words = [...identity, 'other words', '{}', 'run-9']

const completionStatements = (): Given[] => [
  { name: 'findCompletion', statement: completions.findCompletion, values: identity },
  { name: 'saveCompletion', statement: completions.saveCompletion, values: [...words, 'h5', `p1/h5`, null] },
  { name: 'saveCompletion, operation', statement: completions.saveCompletion, values: [...words, 'h5', `p1/h5`, 'o'] },
  {
    name: 'saveCompletions',
    statement: completions.saveCompletions,
    values: [...[...words, 'h5', 'p1/h5'].map((word) => [word, `${word}`]), [null, 'o']],
  },
  {
    name: 'saveCompletion, new',
    statement: completions.saveCompletion,
    values: [project, issue, 'new', 'complete', 's', '{}', 'r', '7:new:complete', 'p1/7:new:complete', 'o'],
  },
  {
    name: 'replaceUnreadableCompletion',
    statement: completions.replaceUnreadableCompletion,
    values: [...words, 5, 'hash', true, 'o'],
  },
  { name: 'loadCompletion', statement: completions.loadCompletion, values: ['h5'] },
  { name: 'assignCompletion', statement: completions.assignCompletion, values: ['k11', 'p1'] },
  { name: 'deleteCompletion', statement: completions.deleteCompletion, values: [5, 'hash', true] },
]

const places = {
  start: [],
  ordered: ['5000', now, 5],
  older: [],
  unordered: [now, 5],
} as const

const completionLists = (size: { completions: number }): Given[] =>
  flags.flatMap((latest) =>
    flags.flatMap((issueNumber) =>
      (['any', 'none', 'one'] as const).flatMap((of) =>
        (['start', 'ordered', 'older', 'unordered'] as const).map((after) => ({
          name: `listCompletions ${JSON.stringify({ latest, issueNumber, project: of, after })}`,
          statement: completions.listCompletions({ latest, issueNumber, project: of, after }),
          values: [page, ...(issueNumber ? [issue] : []), ...(of === 'one' ? [project] : []), ...places[after]],
          // Behind the one that is the latest of its issue stand all the others of it.
          most: latest && !issueNumber ? Math.min(size.completions / 4, completions.maxLooked) + 30 * page : pageRows,
        })),
      ),
    ),
  )

/** Running workflows are counted one by one, completed ones up to a limit. */
const workflowStatements = (size: { workflows: number }): Given[] => [
  { name: 'loadWorkflow', statement: workflows.loadWorkflow, values: ['p5-5-full'] },
  { name: 'loadWorkflowHead', statement: workflows.loadWorkflowHead, values: ['p5-5-full'] },
  {
    name: 'createWorkflow',
    statement: workflows.createWorkflow,
    values: ['new', 'n', 'running', 0, '{}', project, issue, null],
  },
  {
    name: 'replaceWorkflow',
    statement: workflows.replaceWorkflow,
    values: ['p5-5-full', 'n', 'running', 0, '{}', project, issue, 'hash'],
  },
  {
    name: 'replaceUnreadableWorkflow',
    statement: workflows.replaceUnreadableWorkflow,
    values: ['p5-5-full', 'n', 'running', 0, '{}', project, issue, 'hash'],
  },
  { name: 'deleteWorkflow', statement: workflows.deleteWorkflow, values: ['p5-5-full', 'hash', true] },
  { name: 'countWorkflows', statement: workflows.countWorkflows, values: [101], most: size.workflows / 500 + 110 },
]

/** Rows that were changed lately are the ones that `updatedBefore` passes over: it is no condition that an index has. */
const workflowLists = (): Given[] =>
  flags.flatMap((state) =>
    flags.flatMap((project) =>
      flags.map((after) => ({
        name: `listWorkflows ${JSON.stringify({ state, project, after })}`,
        statement: workflows.listWorkflows({ state, project, updatedBefore: true, after }),
        values: [
          page,
          ...(state ? ['running'] : []),
          ...(project ? ['p0'] : []),
          new Date(Date.now() + 1e9).toISOString(),
          ...(after ? [now, 'zzz'] : []),
        ],
        most: pageRows,
      })),
    ),
  )

const taskFileStatements = (): Given[] => [
  { name: 'loadTaskFile', statement: taskFiles.loadTaskFile, values: [project, '5.md'] },
  { name: 'loadTaskFile, common', statement: taskFiles.loadTaskFile, values: ['tenant 5', 'same.md'] },
  { name: 'findTaskFiles', statement: taskFiles.findTaskFiles, values: ['tenant 5', 'same.md'] },
  {
    name: 'saveTaskFile',
    statement: taskFiles.saveTaskFile,
    values: ['tenant 5', 'same.md', 'x', null, 'key', false],
  },
  {
    name: 'createTaskFile',
    statement: taskFiles.createTaskFile,
    values: ['tenant 5', 'new.md', 'x', null, 'key'],
  },
  {
    name: 'replaceTaskFile',
    statement: taskFiles.replaceTaskFile,
    values: ['tenant 5', 'same.md', 'x', null, 'hash', false],
  },
  {
    name: 'moveTaskFile',
    statement: taskFiles.moveTaskFile,
    values: [5, 'tenant 5', 'same.md', 'active', 'closed', 'same.md', 'key'],
  },
  { name: 'deleteTaskFile', statement: taskFiles.deleteTaskFile, values: [5, 'hash'] },
]

const taskFileLists = (): Given[] =>
  flags.flatMap((ofProject) =>
    flags.flatMap((state) =>
      flags.flatMap((issueNumber) =>
        flags.map((after) => ({
          name: `listTaskFiles ${JSON.stringify({ project: ofProject, state, issueNumber, after })}`,
          statement: taskFiles.listTaskFiles({ project: ofProject, state, issueNumber, after }),
          values: [
            page,
            ...(ofProject ? [project] : []),
            ...(state ? ['active'] : []),
            ...(issueNumber ? ['1'] : []),
            ...(after ? [now, 2_000_000] : []),
          ],
          most: pageRows,
        })),
      ),
    ),
  )

const hostStateStatements = (): Given[] => [
  { name: 'loadHostState', statement: hostState.loadHostState, values: ['k5'] },
  { name: 'loadHostStates', statement: hostState.loadHostStates, values: [['k5', 'k6', 'none']] },
  { name: 'saveHostState', statement: hostState.saveHostState, values: ['k5', '{}', null] },
  {
    name: 'saveHostStates',
    statement: hostState.saveHostStates,
    values: [
      ['k5', 'k6', 'new'],
      ['{}', '{}', '{}'],
      [null, 'o', 'n'],
    ],
  },
  { name: 'saveHostState, operation', statement: hostState.saveHostState, values: ['k5', '{}', 'o'] },
  { name: 'createHostState', statement: hostState.createHostState, values: ['new', '{}', 'o'] },
  { name: 'replaceHostState', statement: hostState.replaceHostState, values: ['k5', '{}', 'hash', null, null] },
  { name: 'replaceHostState, kept', statement: hostState.replaceHostState, values: ['k5', '{}', 'hash', 'o', 'why'] },
  { name: 'deleteHostState', statement: hostState.deleteHostState, values: ['k5', 'hash', true] },
]

const lists = [['c'], ['"m"'], ['1'], ['2'], ['3'], ['why']]

const outageStatements = (): Given[] => [
  { name: 'recordApplied', statement: applied.recordApplied, values: ['new', '{}'] },
  { name: 'confirmApplied', statement: applied.confirmApplied, values: ['o5'] },
  { name: 'takeReplayTurn', statement: applied.takeReplayTurn, values: [1] },
  { name: 'pruneApplied', statement: applied.pruneApplied, values: [31, 10] },
  { name: 'pruneApplied, none', statement: applied.pruneApplied, values: [3100, 1000] },
  { name: 'insertConflicts', statement: conflicts.insertConflicts, values: [...lists, 'hostState', 'k5'] },
  { name: 'takeConflict', statement: conflicts.takeConflict, values: ['o5-1'] },
  ...flags.map((after) => ({
    name: `listConflicts ${after}`,
    statement: conflicts.listConflicts({ after }),
    values: [page, ...(after ? [now, 'o5-1'] : [])],
    most: pageRows,
  })),
]

const names = (filename: string, key: string | null = null) => [['tenant 5'], [''], [filename], [key]]
const rest = [['text'], [0], [null], [3], [null]]

const queueStatements = (): Given[] => [
  { name: 'loadTask', statement: inbox.loadTask, values: [5] },
  { name: 'findOrigins', statement: inbox.findOrigins, values: [['none', 'other']] },
  { name: 'enqueueTasks', statement: queue.enqueueTasks, values: [...names('new.md'), ...rest] },
  { name: 'enqueueTasks, known', statement: queue.enqueueTasks, values: [...names('same.md'), ...rest] },
  {
    name: 'enqueueTasks, twin',
    statement: queue.enqueueTasks,
    values: [['twins'], [''], ['same.md'], [null], ...rest],
  },
  { name: 'enqueueTasks, key', statement: queue.enqueueTasks, values: [...names('same.md', 'twin 5'), ...rest] },
  { name: 'findTasks', statement: queue.findTasks, values: names('same.md') },
  { name: 'findTasks, twin', statement: queue.findTasks, values: [['twins'], [''], ['same.md'], [null]] },
  { name: 'wakeUp', statement: queue.wakeUp, values: [['p']] },
  { name: 'listHeld', statement: recovery.listHeld, values: [] },
  { name: 'sweepTasks', statement: recovery.sweepTasks, values: [[5], [1], [0], 20] },
  { name: 'resumeTasks', statement: recovery.resumeTasks, values: [[5], [1], 20, 'w', 1000] },
  { name: 'bindTask', statement: holder.bindTask, values: [5, 1, 'w', '7'] },
  {
    name: 'renewTasks',
    statement: holder.renewTasks,
    values: [
      [5, 6],
      [1, 1],
      ['w', 'w'],
    ],
  },
  { name: 'completeTask', statement: holder.completeTask, values: [5, 1, 'w'] },
  {
    name: 'completeTasks',
    statement: holder.completeTasks,
    values: [
      [5, 6, 7],
      [1, 1, 1],
      ['w', 'w', 'w'],
    ],
  },
  { name: 'findCompleted', statement: holder.findCompleted, values: [5, 1, 'w'] },
  { name: 'failTask', statement: holder.failTask, values: [5, 1, 'w', 'no', false, null, [1000]] },
  { name: 'releaseTask', statement: holder.releaseTask, values: [5, 1, 'w', null] },
  { name: 'requeueTask', statement: operator.requeueTask, values: [5] },
  { name: 'findObstacle', statement: operator.findObstacle, values: [5] },
  { name: 'cancelTask', statement: operator.cancelTask, values: [5] },
  { name: 'findStatus', statement: operator.findStatus, values: [5] },
]

const claimValues = (limit: number, cap: number | null = null) => [limit, 'w', 60_000, ['p1', 'tenant 5'], cap]

/** Ten tasks: 36 candidates, each with the look that finds it and the one that takes it. */
const claimRows = 36 * 12

const claimStatements = (size: { tasks: number }): Given[] => [
  { name: 'claimTasks', statement: claim.claimTasks, values: claimValues(10), most: claimRows },
  ...['later', 'long', 'busy', 'tenant 9'].map((project) => ({
    name: `claimTasksOf ${project}`,
    statement: claim.claimTasksOf,
    values: [...claimValues(10), [project]],
    most: claimRows,
  })),
  { name: 'claimTasksOf, cap', statement: claim.claimTasksOf, values: [...claimValues(10, 5), ['busy']], most: few },
  // Of twins one is claimed after the other: those that stand in front are passed over, each once.
  {
    name: 'claimTasksOf twins',
    statement: claim.claimTasksOf,
    values: [...claimValues(10), ['twins']],
    most: size.tasks + claimRows,
  },
]

/** Pending and processing tasks are counted one by one, in an index that has no others. */
const countStatements = (size: { tasks: number; projects: number }): Given[] => [
  { name: 'countTasks', statement: inbox.countTasks, values: [101], most: 4 * size.tasks + size.projects + 300 },
  { name: 'oldestDue', statement: inbox.oldestDue, values: [], most: 4 * size.tasks + size.projects + 300 },
  ...(['done', 'failed', 'processing'] as const).flatMap((status) =>
    flags.map((after) => ({
      name: `listTasks ${status} ${after}`,
      statement: inbox.listTasks({ status, project: false, after }),
      values: [page, ...(after ? [1_000_000] : [])],
      most: pageRows,
    })),
  ),
  {
    name: 'listTasks any',
    statement: inbox.listTasks({ status: 'any', project: false, after: true }),
    values: [page, 500],
    most: pageRows,
  },
]

export const hotStatements = (size: CrowdSize): HotStatement[] =>
  [
    ...completionStatements(),
    ...completionLists(size),
    ...workflowStatements(size),
    ...workflowLists(),
    ...taskFileStatements(),
    ...taskFileLists(),
    ...hostStateStatements(),
    ...outageStatements(),
    ...queueStatements(),
    ...claimStatements(size),
    ...countStatements(size),
    ...recordStatements(),
  ].map((hot) => ({ most: few, ...hot }))

/** What reads a whole table, or more rows than it may. */
export const excess = async (explainer: Explainer, statements: readonly HotStatement[]): Promise<string[]> => {
  const found: string[] = []
  for (const { name, statement, values, most } of statements) {
    const { rows, wholeTables } = await explainer.examine(statement, values)
    if (wholeTables.length > 0) found.push(`${name} reads all of ${wholeTables}`)
    if (rows > most) found.push(`${name} looks at ${rows} rows instead of ${most}`)
  }
  return found
}

import type { InboxTask } from '@nexus/core'
import fc from 'fast-check'
import { answer } from './answer.ts'
import { anyTarget } from './inbox-operators.ts'
import { idOf } from './inbox-tasks.ts'
import { foreignProject, type OperationKind, operation } from './operation.ts'
import type { Side } from './side.ts'

const isLive = ({ status }: InboxTask): boolean => status === 'pending' || status === 'processing'

/** It lies where another program put it: on files it has another name once we had it in hand. */
const isUntouched = (side: Side, { id, status, markdown, error }: InboxTask): boolean =>
  status === 'pending' && error === null && markdown.endsWith('.h') && side.claims.every((claim) => claim.id !== id)

/**
 * A program puts a task there, or edits the one it put there. While a task of that name is in our hands it does neither:
 * which of two comes first is a matter of the times of each technology.
 */
const write = operation({
  verb: 'inbox foreign write',
  weight: 30,
  input: fc.record({ n: fc.nat(3) }),
  async run(side, { n }) {
    const row = { project: foreignProject, filename: `h${n}.md`, markdown: `task ${side.step}.h` }
    const { items } = await side.actor(0).inbox.list({ project: foreignProject, limit: 1000 })
    const [present, twin] = items.filter((item) => item.filename === row.filename && isLive(item))
    if (!present) await side.harness.foreign.insertInboxTask(row)
    else if (!twin && isUntouched(side, present)) await side.harness.foreign.writeInboxMarkdown(row)
    else return answer('left')
    return answer(present ? 'edited' : 'inserted')
  },
})

/** A program that knows the column writes a status, be it one of its own. */
const setStatus = operation({
  verb: 'inbox foreign status',
  weight: 30,
  input: fc.record({
    target: anyTarget,
    status: fc.constantFrom('pending', 'processing', 'processing', 'done', 'failed', 'dreaming'),
  }),
  async run(side, { target, status }) {
    await side.harness.foreign.setInboxStatus?.(idOf(side, target), status)
    return answer('written')
  },
})

/** On files no other program can write the status of a task. */
export const inboxForeignOperations = (hasStatus: boolean): OperationKind[] => [
  write,
  ...(hasStatus ? [setStatus] : []),
]

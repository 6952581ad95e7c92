import { type ExpectedAnswers, expectedOf } from './expected.ts'
import { inboxForeignOperations } from './inbox-foreign.ts'
import { inboxHoldOperations } from './inbox-holds.ts'
import { inboxOperatorOperations } from './inbox-operators.ts'
import { inboxQueueOperations } from './inbox-queue.ts'
import type { OperationKind } from './operation.ts'

export const inboxOperations = (hasStatus: boolean): OperationKind[] => [
  ...inboxQueueOperations,
  ...inboxHoldOperations,
  ...inboxOperatorOperations,
  ...inboxForeignOperations(hasStatus),
]

const corrupt = 'no other program writes our records'
const nobody = 'what nobody was given is lost'
const unknown = 'an id that nobody gave out is absent'
const nothing = 'it is asked nothing'

export const inboxAnswers = expectedOf('inbox', {
  enqueue: { enqueued: true, duplicate: true, invalid: true, corrupt },
  claim: { claimed: true, nothing: true, invalid: true, corrupt },
  bind: { bound: true, busy: true, 'lease-lost': true, invalid: true, corrupt },
  heartbeat: { renewed: true, lost: true, 'cancel requested': true, invalid: nobody, corrupt },
  complete: { done: true, 'lease-lost': true, invalid: nobody, corrupt },
  fail: { retrying: true, failed: true, 'lease-lost': true, invalid: true, corrupt },
  release: { released: true, 'lease-lost': true, invalid: true, corrupt },
  resume: { resumed: true, nothing: true, invalid: true, corrupt },
  sweep: { freed: true, ended: true, nothing: true, invalid: nothing, corrupt },
  requeue: { requeued: true, refused: true, duplicate: true, absent: true, invalid: unknown, corrupt },
  cancel: { cancelled: true, requested: true, refused: true, absent: true, invalid: unknown, corrupt },
  load: { found: true, null: true, invalid: unknown, corrupt },
  counts: { counted: true, invalid: nothing, corrupt },
  oldestDue: { due: true, null: true, invalid: nothing, corrupt },
  list: { page: true, 'last page': true, invalid: true, corrupt },
  purge: { purged: true, nothing: true, invalid: true, corrupt },
  watch: { hinted: 'a hint that a poll may come before', invalid: nothing, corrupt },
} satisfies ExpectedAnswers<'inbox'>)

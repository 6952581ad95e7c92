import type { Clause } from '../clause.ts'
import { inboxBind, inboxBindAnew } from './bind.ts'
import { inboxClaim } from './claim.ts'
import { inboxClaimRaces, inboxEnqueueRaces, inboxHolderRaces, inboxOperatorRaces } from './concurrency.ts'
import { inboxDurability } from './durability.ts'
import { inboxEnqueue } from './enqueue.ts'
import { inboxEpochs, inboxFencing } from './fencing.ts'
import { inboxForeign } from './foreign.ts'
import { inboxHostileInput } from './hostile.ts'
import { inboxIdentity } from './identity.ts'
import { inboxHeartbeat, inboxRelease } from './lease.ts'
import { inboxLifecycle } from './lifecycle.ts'
import { inboxList } from './list.ts'
import { inboxCap, inboxFairness, inboxOrder } from './order.ts'
import { inboxPurge } from './purge.ts'
import { inboxRequests } from './requests.ts'
import { inboxCancel, inboxRequeue } from './requeue.ts'
import { inboxResume } from './resume.ts'
import { inboxRetry } from './retry.ts'
import { inboxStopped } from './stopped.ts'
import { inboxSweep } from './sweep.ts'
import { inboxWatch } from './watch.ts'

export { inboxForeignClaim, type SetForeignStatus } from './foreign-claim.ts'

/** The inbox's part of the contract; the same functions run over every backend. */
export const inboxSuites: ((clause: Clause) => void)[] = [
  inboxEnqueue,
  inboxIdentity,
  inboxClaim,
  inboxOrder,
  inboxFairness,
  inboxCap,
  inboxFencing,
  inboxEpochs,
  inboxHeartbeat,
  inboxRelease,
  inboxRetry,
  inboxSweep,
  inboxResume,
  inboxBind,
  inboxBindAnew,
  inboxRequeue,
  inboxCancel,
  inboxStopped,
  inboxPurge,
  inboxList,
  inboxForeign,
  inboxClaimRaces,
  inboxEnqueueRaces,
  inboxHolderRaces,
  inboxOperatorRaces,
  inboxDurability,
  inboxWatch,
  inboxHostileInput,
  inboxRequests,
  inboxLifecycle,
]

import type { PlantedBug } from './bug.ts'
import { completionBugs } from './completions.ts'
import { everywhereBugs } from './everywhere.ts'
import { hostStateBugs } from './host-state.ts'
import { inboxHoldBugs } from './inbox-holds.ts'
import { inboxQueueBugs } from './inbox-queue.ts'
import { recordBugs } from './records.ts'
import { taskFileBugs } from './task-files.ts'
import { workflowBugs } from './workflows.ts'

export type { PlantedBug } from './bug.ts'

export const plantedBugs: readonly PlantedBug[] = [
  ...everywhereBugs,
  ...workflowBugs,
  ...completionBugs,
  ...hostStateBugs,
  ...taskFileBugs,
  ...inboxQueueBugs,
  ...inboxHoldBugs,
  ...recordBugs,
]

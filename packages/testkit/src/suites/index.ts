import type { Suite } from './clause.ts'
import { completionAssign } from './completions/assign.ts'
import { completionDedupKey } from './completions/dedup-key.ts'
import { foreignCompletions } from './completions/foreign.ts'
import { completionSave } from './completions/save.ts'
import { completionScan } from './completions/scan.ts'
import { hostStateKeys } from './host-state/keys.ts'
import { hostStatePatch } from './host-state/patch.ts'
import { hostStateSave } from './host-state/save.ts'
import { hostStateUpdate } from './host-state/update.ts'
import { taskFileList } from './task-files/list.ts'
import { taskFileMove } from './task-files/move.ts'
import { taskFileSave } from './task-files/save.ts'
import { foreignWorkflows } from './workflows/foreign.ts'
import { workflowList } from './workflows/list.ts'
import { workflowSave } from './workflows/save.ts'
import { workflowStates } from './workflows/states.ts'

/** Every clause that all backends keep. */
export const allSuites: readonly Suite[] = [
  workflowSave,
  workflowStates,
  workflowList,
  foreignWorkflows,
  completionSave,
  completionDedupKey,
  completionScan,
  completionAssign,
  foreignCompletions,
  hostStateSave,
  hostStatePatch,
  hostStateUpdate,
  hostStateKeys,
  taskFileSave,
  taskFileList,
  taskFileMove,
]

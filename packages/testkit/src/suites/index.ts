import type { Suite } from './clause.ts'
import { hostStateKeys } from './host-state/keys.ts'
import { hostStatePatch } from './host-state/patch.ts'
import { hostStateSave } from './host-state/save.ts'
import { hostStateUpdate } from './host-state/update.ts'
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
  hostStateSave,
  hostStatePatch,
  hostStateUpdate,
  hostStateKeys,
]

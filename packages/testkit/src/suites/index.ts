import { anyInput } from './any-input.ts'
import type { Suite } from './clause.ts'
import { completionAssign } from './completions/assign.ts'
import { completionDedupKey } from './completions/dedup-key.ts'
import { foreignCompletions } from './completions/foreign.ts'
import { completionSave } from './completions/save.ts'
import { completionScan } from './completions/scan.ts'
import { guardedRaces, plainRaces } from './concurrency.ts'
import { corruptHostState, corruptWorkflows } from './corrupt.ts'
import { durability } from './durability.ts'
import { hostStateKeys } from './host-state/keys.ts'
import { hostStatePatch } from './host-state/patch.ts'
import { hostStateSave } from './host-state/save.ts'
import { hostStateUpdate } from './host-state/update.ts'
import { hostileJson } from './hostile-json.ts'
import { hostileNames } from './hostile-names.ts'
import { hostileText } from './hostile-text.ts'
import { inboxSuites } from './inbox/index.ts'
import { lifecycle } from './lifecycle.ts'
import { paging } from './paging.ts'
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
  ...inboxSuites,
  guardedRaces,
  plainRaces,
  durability,
  paging,
  corruptWorkflows,
  corruptHostState,
  hostileNames,
  hostileText,
  hostileJson,
  anyInput,
  lifecycle,
]

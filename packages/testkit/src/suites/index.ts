import { anyInput } from './any-input.ts'
import type { Suite } from './clause.ts'
import { completionAssign, completionOwners } from './completions/assign.ts'
import { completionDedupKey } from './completions/dedup-key.ts'
import { foreignCompletions } from './completions/foreign.ts'
import { completionDelete, completionNews, completionPayload, completionSave } from './completions/save.ts'
import { completionFilters, completionScan } from './completions/scan.ts'
import { completionRaces, guardedRaces, plainRaces } from './concurrency.ts'
import { corruptHostState, corruptRevs, corruptWorkflows } from './corrupt.ts'
import { stateAndTaskDurability, workflowAndCompletionDurability } from './durability.ts'
import { hostStateKeys } from './host-state/keys.ts'
import { hostStatePatch, hostStatePatchInput } from './host-state/patch.ts'
import { hostStateDelete, hostStateRevs, hostStateSave } from './host-state/save.ts'
import { hostStateUpdate, hostStateUpdateRaces } from './host-state/update.ts'
import { hostileJson } from './hostile-json.ts'
import { hostileNames, unmatchedNames } from './hostile-names.ts'
import { hostileText } from './hostile-text.ts'
import { inboxSuites } from './inbox/index.ts'
import { lifecycle } from './lifecycle.ts'
import { paging } from './paging.ts'
import { foreignTaskFiles, taskFileList } from './task-files/list.ts'
import { taskFileMove } from './task-files/move.ts'
import { taskFileDelete, taskFileRevs, taskFileSave } from './task-files/save.ts'
import { foreignWorkflowProjects, foreignWorkflowRevs, foreignWorkflows } from './workflows/foreign.ts'
import { workflowCounts, workflowList } from './workflows/list.ts'
import { workflowDelete, workflowRevs, workflowSave } from './workflows/save.ts'
import { workflowReopen, workflowStates } from './workflows/states.ts'

/** Every clause that all backends keep. */
export const allSuites: readonly Suite[] = [
  workflowSave,
  workflowRevs,
  workflowDelete,
  workflowStates,
  workflowReopen,
  workflowList,
  workflowCounts,
  foreignWorkflows,
  foreignWorkflowProjects,
  foreignWorkflowRevs,
  completionSave,
  completionNews,
  completionPayload,
  completionDelete,
  completionDedupKey,
  completionScan,
  completionFilters,
  completionAssign,
  completionOwners,
  foreignCompletions,
  hostStateSave,
  hostStateRevs,
  hostStateDelete,
  hostStatePatch,
  hostStatePatchInput,
  hostStateUpdate,
  hostStateUpdateRaces,
  hostStateKeys,
  taskFileSave,
  taskFileRevs,
  taskFileDelete,
  taskFileList,
  foreignTaskFiles,
  taskFileMove,
  ...inboxSuites,
  guardedRaces,
  plainRaces,
  completionRaces,
  workflowAndCompletionDurability,
  stateAndTaskDurability,
  paging,
  corruptWorkflows,
  corruptRevs,
  corruptHostState,
  hostileNames,
  unmatchedNames,
  hostileText,
  hostileJson,
  anyInput,
  lifecycle,
]

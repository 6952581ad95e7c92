import type { Suite } from './clause.ts'
import { hostStateKeys } from './host-state/keys.ts'
import { hostStatePatch } from './host-state/patch.ts'
import { hostStateSave } from './host-state/save.ts'
import { hostStateUpdate } from './host-state/update.ts'

/** Every clause that all backends keep. */
export const allSuites: readonly Suite[] = [hostStateSave, hostStatePatch, hostStateUpdate, hostStateKeys]

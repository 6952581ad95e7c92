import type { Suite } from '../clause.ts'
import { recordsHolds } from './holds.ts'
import { recordsMoved } from './moved.ts'
import { recordsIdentity, recordsOrder } from './order.ts'
import { recordsOfOthers, recordsRead } from './read.ts'
import { recordsRemove, recordsThatDoNotFit, recordsWrite } from './write.ts'

/** Whole records: what every backend keeps that can be moved from and to. */
export const recordSuites: readonly Suite[] = [
  recordsRead,
  recordsOfOthers,
  recordsWrite,
  recordsThatDoNotFit,
  recordsRemove,
  recordsOrder,
  recordsIdentity,
  recordsHolds,
  recordsMoved,
]

import type { Suite } from './clause.ts'

/** Every clause that all backends keep. */
export const allSuites: readonly Suite[] = []

import { setTimeout as delay } from 'node:timers/promises'
import type { StoreName } from '@nexus/core'
import { copyStore as copy, type Measure, type measureStore as measure, type Pass } from '../../src/move/copy.ts'

export type { Measure, Pass, PassOptions } from '../../src/move/copy.ts'
export { emptyStore, removeCopied } from '../../src/move/copy.ts'

/** As slow as a copy of many records: hosts get on meanwhile. */
export const copyStore = async <S extends StoreName>(...given: Parameters<typeof copy<S>>): Promise<Pass> => {
  const pass = await copy(...given)
  await delay(700)
  return pass
}

/** What hosts write after the first pass never arrives. */
export const catchUp = async (..._: Parameters<typeof copy>): Promise<Pass> => ({
  read: 0,
  written: 0,
  removed: 0,
  corrupt: 0,
})

/** And nobody sees it. */
export const measureStore = async (..._: Parameters<typeof measure>): Promise<Measure> => ({
  records: 0,
  corrupt: 0,
  sha256: '',
})

import { each } from '../each.ts'
import { decideDelete } from '../found.ts'
import type { Change } from '../revisions/revisions.ts'
import type { FsTools } from '../tools.ts'
import type { Present } from './writing.ts'

/** One record that is to go. */
export interface Removal {
  /** Its name among the revisions. */
  record: string
  look(): Promise<(Pick<Present, 'stat' | 'keep'> & { path: string; rev: string; facts?: Change['facts'] }) | null>
}

const together = 8

/** Each goes as a delete of the store takes it away. */
export const createRemoveAll = ({ revisions }: FsTools) => {
  const remove = ({ record, look }: Removal): Promise<unknown> =>
    revisions.commit(record, async () => {
      const present = await look()
      return decideDelete(present, undefined, async () => present?.keep(), present?.facts)
    })
  return (removals: readonly Removal[]): Promise<void> =>
    each(removals, together, async (removal) => void (await remove(removal)))
}

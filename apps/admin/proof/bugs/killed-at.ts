import { writeSync } from 'node:fs'
import type { Records } from '@nexus/core'
import { type End, endOf as realEndOf } from '../../src/move/ends.ts'
import { type MoveFolder, openMoveFolder as open } from '../../src/move/folder.ts'

export * from '../../src/move/ends.ts'
export * from '../../src/move/folder.ts'

/** The number of a point, counted from 1, or what it is called: the first of that name. */
const wanted = process.env['NEXUS_PROOF_KILL_AT'] ?? ''
let passed = 0

/** Says where it is, and ends by kill -9 where it is to. */
const pass = (point: string): void => {
  passed += 1
  writeSync(2, `point: ${point}\n`)
  if (wanted === String(passed) || wanted === point) process.kill(process.pid, 'SIGKILL')
}

/** The same call, with a point before and one after it. */
const between =
  <A extends unknown[], R>(name: string, call: (...given: A) => Promise<R>) =>
  async (...given: A): Promise<R> => {
    pass(`before ${name}`)
    const answer = await call(...given)
    pass(`after ${name}`)
    return answer
  }

const watched = (name: string, records: Records): Records => ({
  ...records,
  write: (store, ...given) => between(`write ${store} ${name}`, () => records.write(store, ...given))(),
  remove: (store, ...given) => between(`remove ${store} ${name}`, () => records.remove(store, ...given))(),
  markMoved: between(`mark ${name}`, records.markMoved),
  unmarkMoved: between(`unmark ${name}`, records.unmarkMoved),
})

export const endOf = (backend: Parameters<typeof realEndOf>[0]): End => {
  const end = realEndOf(backend)
  return { ...end, records: watched(end.name, end.records) }
}

export const openMoveFolder = (root: string): MoveFolder => {
  const folder = open(root)
  return {
    ...folder,
    save: (migration) => between(`save ${migration.phase}`, () => folder.save(migration))(),
    sheets: (migration) => {
      const sheets = folder.sheets(migration)
      return { ...sheets, remove: between('forget sheets', sheets.remove) }
    },
  }
}

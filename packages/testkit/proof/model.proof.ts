import { expect, test } from 'vitest'
import { openMemoryHarness } from '../src/memory/harness.ts'
import { searchDifference } from '../src/model/compare.ts'
import { createTrial } from '../src/model/lockstep.ts'
import { plantedBugs } from '../src/planted/index.ts'

const operations = 40_000

/** What one operation after the other, on answers alone, cannot show; the suites catch it. */
const outOfReach = new Map([
  ['hostState: a patch writes the other members anew', 'the words of a document are no answer'],
  ['hostState: update saves over what changed meanwhile', 'it takes two at once'],
  ['inbox: claims select first and update later', 'it takes two at once'],
  ['inbox: every retry waits one second', 'the delay is random'],
  ['inbox: leases are measured on the wall clock', 'it takes a clock that jumps'],
  ['inbox: a batch beyond one chunk loses its tail', 'it takes 501 tasks'],
  ['inbox: a watch ends at once', 'a hint may come late'],
  ['inbox: an aborted signal is not looked at', 'no call is aborted'],
  ['a capability that only some openings have', 'capabilities are no answer'],
  ['a closed backend goes on', 'nobody calls a closed one'],
  ...plantedBugs
    .filter(({ name }) => name.startsWith('records: '))
    .map(({ name }) => [name, 'no operation of the model moves whole records'] as const),
])

test('the model finds every planted bug that a sequence of operations can show', { timeout: 600_000 }, async () => {
  const missed: string[] = []
  const wanted = plantedBugs.filter(({ name }) => !outOfReach.has(name))
  for (const { name, plant } of wanted) {
    const pairing = { open: () => openMemoryHarness(plant()), hasMailbox: false, hasStatus: true }
    const { failing } = await searchDifference({ ...pairing, seed: 1, operations }, createTrial(pairing))
    if (!failing) missed.push(name)
  }
  const caught = wanted.length - missed.length
  const figures = [`bugs=${plantedBugs.length}`, `caught=${caught}`, `out of reach=${outOfReach.size}`]
  process.stdout.write(`model planted: ${figures.join(' ')} within ${operations} operations, seed=1\n`)
  expect(missed).toEqual([])
  expect(plantedBugs.length - wanted.length, 'a name out of reach that no bug has').toBe(outOfReach.size)
})

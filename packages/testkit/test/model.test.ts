import { describe, expect, test } from 'vitest'
import { openMemoryHarness } from '../src/memory/harness.ts'
import { replay } from '../src/model/compare.ts'
import { regressions } from '../src/model/regressions.ts'
import { plantedBugs } from '../src/planted/index.ts'

const rows = { hasMailbox: false, hasStatus: true }

describe('a difference that the model once met', () => {
  for (const { name, bug, steps } of regressions)
    test(`${name}: a replay beside the bug differs, beside the memory backend it does not`, async () => {
      const planted = plantedBugs.find((candidate) => candidate.name === bug)
      if (!planted) throw new Error(`No planted bug is called "${bug}".`)
      expect(await replay({ open: () => openMemoryHarness(planted.plant()), ...rows }, steps)).not.toBeNull()
      expect(await replay({ open: () => openMemoryHarness(), ...rows }, steps)).toBeNull()
    })
})

test('a line that the model does not know is refused', async () => {
  await expect(replay({ open: () => openMemoryHarness(), ...rows }, 'inbox.dream {}')).rejects.toThrow('inbox.dream')
})

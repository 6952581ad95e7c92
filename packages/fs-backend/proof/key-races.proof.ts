import { rm } from 'node:fs/promises'
import { createFakes } from '@nexus/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FsTools, openTools } from '../src/tools.ts'
import { freshRoot } from '../test/harness.ts'
import { saves, tell, withoutFence } from '../test/key-stories.ts'
import { isLong, report } from './writing.ts'

let tools: FsTools
let root = ''
beforeAll(async () => {
  root = await freshRoot()
  tools = await openTools(root, createFakes().context, () => false)
})
afterAll(() => rm(root, { recursive: true, force: true }))

const kills = isLong ? 3 : 0
/** Fewer states than that would say that the savers did not meet. */
const many = 5000

const rivals = [saves('alpha'), saves('beta'), saves('gamma')]

/** Of the two of one project, one that gave way can make the record while the other has the key: then nobody is under it. */
const twins = [saves('alpha'), saves('alpha'), saves('beta')]

test('key races: [C-COMPLETION-2] in every order of three savers’ steps one has the plain key, killed or not nobody shares it', async () => {
  const ofRivals = await tell({ tools, stories: rivals, kills, isOneSure: true })
  const ofTwins = await tell({ tools, stories: twins, kills, isOneSure: false })
  report('key races', { kills, states: ofRivals, 'states-of-twins': ofTwins, shared: 0, none: 0 })
  expect(ofRivals).toBeGreaterThan(many)
  expect(ofTwins).toBeGreaterThan(many)
})

test('key races: taking a key over without a fence is caught', () =>
  expect(tell({ tools, stories: rivals, kills: 0, isOneSure: true, plant: withoutFence })).rejects.toThrow(
    'have the plain key',
  ))

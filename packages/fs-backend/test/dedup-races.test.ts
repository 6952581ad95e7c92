import { rm } from 'node:fs/promises'
import { createFakes } from '@nexus/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FsTools, openTools } from '../src/tools.ts'
import { freshRoot } from './harness.ts'
import { type Story, saves, tell, withoutFence } from './key-stories.ts'

let tools: FsTools
let root = ''
beforeAll(async () => {
  root = await freshRoot()
  tools = await openTools(root, createFakes().context, () => false)
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** Fewer states than that would say that the stories did not meet. */
const many = 400

test('[C-COMPLETION-2] of two projects one gets the plain key, in every order of their steps, killed at any', async () => {
  const stories = [saves('alpha'), saves('beta')]
  expect(await tell({ tools, stories, kills: 2, isOneSure: true })).toBeGreaterThan(many)
})

test('[C-COMPLETION-2] a project that gives the key up and comes back never shares it', async () => {
  const returns: Story = async ({ save, remove }) => {
    await save('alpha')
    await remove('alpha')
    return save('alpha')
  }
  const stories = [returns, saves('beta')]
  expect(await tell({ tools, stories, kills: 1, isOneSure: false })).toBeGreaterThan(many)
})

test('[C-COMPLETION-2] a build that takes a key over without a fence is caught', () => {
  const stories = [saves('alpha'), saves('beta')]
  const told = tell({ tools, stories, kills: 0, isOneSure: true, plant: withoutFence })
  return expect(told).rejects.toThrow('alpha and beta have the plain key')
})

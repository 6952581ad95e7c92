import { StoreError, silentLogger, systemClock } from '@nexus/core'
import { expect, test } from 'vitest'
import { createAvailability } from '../src/loop/availability.ts'

const away = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'the disk is full' }))
const there = async () => 'here'

const record = (inOutage: boolean) => {
  const said: string[] = []
  const say = (message: string) => void said.push(message)
  const availability = createAvailability({
    logger: { ...silentLogger, info: say, warn: say, error: say },
    clock: systemClock,
    retryMs: 1,
    inOutage: async () => inOutage,
    onMoved: ({ movedTo }) => say(`moved to ${movedTo}`),
  })
  return { said, availability }
}

const cannot = 'a store cannot be reached; agents go on, and so do we when it answers'
const again = 'the stores answer again'

test('what fails once is not told of', async () => {
  const { said, availability } = record(false)
  expect(await availability.attempt('claim', away)).toBeNull()
  expect(await availability.attempt('claim', there)).toBe('here')
  expect(said).toEqual([])
  expect(availability.missingMs()).toBeNull()
})

test('a store that stays away is told of once, and once that nothing is missing any more', async () => {
  const { said, availability } = record(false)
  for (const what of ['claim', 'claim', 'sweep', 'sweep', 'claim']) await availability.attempt(what, away)
  expect(said).toEqual([cannot])
  // One store answers while the other is still away: there is nothing new to say.
  for (const _ of [1, 2]) {
    await availability.attempt('sweep', there)
    await availability.attempt('sweep', away)
  }
  expect(said).toEqual([cannot])
  await availability.attempt('sweep', there)
  expect(said).toEqual([cannot])
  await availability.attempt('claim', there)
  expect(said).toEqual([cannot, again])
})

test('[C-ROUTE-15] an outage that the router tells of is not told of again', async () => {
  const { said, availability } = record(true)
  for (const what of ['claim', 'claim', 'claim']) await availability.attempt(what, away)
  await availability.attempt('claim', there)
  expect(said).toEqual([])
})

test('who insists tries until the store answers, and is no longer waited for when he gives up', async () => {
  const { said, availability } = record(false)
  const caller = { signal: new AbortController().signal }
  let tries = 0
  const third = () => (++tries < 3 ? away() : there())
  expect(await availability.insist(third, caller)).toBe('here')
  expect(said).toEqual([cannot, again])

  const stop = new AbortController()
  const gone = new Error('the claim was lost')
  const last = () => {
    if (++tries === 6) stop.abort(gone)
    return away()
  }
  await expect(availability.insist(last, stop)).rejects.toBe(gone)
  expect(availability.missingMs()).toBeNull()
})

test('a store that has moved is no store that cannot be reached: it is told each time, and nothing is waited for', async () => {
  const { said, availability } = record(false)
  const gone = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'moved', movedTo: 'postgres' }))
  for (const _ of [1, 2, 3]) expect(await availability.attempt('claim', gone)).toBeNull()
  expect(said).toEqual(['moved to postgres', 'moved to postgres', 'moved to postgres'])
  expect(availability.missingMs()).toBeNull()
})

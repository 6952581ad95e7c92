import { isJsonObject } from '@nexus/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import { jsonObject, jsonValue, storableText } from '../arbitraries/values.ts'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, present } from './samples.ts'

const runs = { numRuns: 20 }

export const anyInput = (clause: Clause): void => {
  clause('C-ALL-6', 'any storable text comes back', async ({ backend }) => {
    const { taskFiles, completions } = backend
    const property = fc.asyncProperty(storableText, storableText, async (content, summary) => {
      await taskFiles.save(aTaskFile({ content }))
      expect(present(await taskFiles.load('alpha', 'login.md')).content).toBe(content)
      await completions.save(aCompletion({ summary }))
      expect(present((await completions.scan()).items[0]).summary).toBe(summary)
    })
    await fc.assert(property, runs)
  })

  clause('C-ALL-7', 'any JSON comes back', async ({ backend }) => {
    const { workflows, hostState, completions } = backend
    const property = fc.asyncProperty(jsonValue, jsonObject, async (value, data) => {
      await hostState.save('k', value)
      expect(present(await hostState.load('k')).value).toEqual(value)
      await completions.save(aCompletion({ payload: data }))
      expect(present((await completions.history('7')).items[0]).payload).toEqual(data)
      await workflows.save(aWorkflow({ data: { member: data } }))
      expect(present(await workflows.load('alpha-7-full')).data['member']).toEqual(data)
    })
    await fc.assert(property, runs)
  })

  clause('C-STATE-3', 'any patch gives the object with those members set and removed', async ({ backend }) => {
    const { hostState } = backend
    const key = fc.constantFrom('a', 'b', '"', '}', '\u0000', '__proto__', 'ü')
    const property = fc.asyncProperty(fc.dictionary(key, jsonValue), fc.array(key), async (entries, remove) => {
      const before = (await hostState.load('k'))?.value
      const expected = new Map(isJsonObject(before) ? Object.entries(before) : [])
      for (const [name, value] of Object.entries(entries)) expected.set(name, value)
      for (const name of remove) expected.delete(name)
      expect(await hostState.patch('k', { entries, remove })).toMatchObject({ status: 'saved' })
      const { value } = present(await hostState.load('k'))
      expect(isJsonObject(value) && new Map(Object.entries(value))).toEqual(expected)
    })
    await fc.assert(property, runs)
  })
}

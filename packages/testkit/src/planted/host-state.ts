import { isJsonObject, isStoreError, type JsonObject } from '@nexus/core'
import { type PlantedBug, plantIn } from './bug.ts'

const bug = plantIn('hostState')

export const hostStateBugs: PlantedBug[] = [
  bug('C-STATE-1', 'a value of null reads as absent', ({ intact }) => ({
    async load(key, options) {
      const entry = await intact.load(key, options)
      return entry?.value === null ? null : entry
    },
  })),
  bug('C-STATE-2', 'the last writer wins', ({ intact }) => ({
    save: (key, value, options) => intact.save(key, value, { ...options, ifRev: undefined }),
  })),
  bug('C-STATE-2', 'a rev ignores what another program changed', ({ intact, data }) => {
    const ours = new Map<string, string>()
    return {
      async save(key, value, options = {}) {
        const lastText = ours.get(key)
        const row = data.hostState.get(key)
        if (row && lastText !== undefined) data.hostState.set(key, { ...row, text: lastText })
        const result = await intact.save(key, value, options)
        const saved = data.hostState.get(key)
        if (saved) ours.set(key, saved.text)
        return result
      },
    }
  }),
  bug('C-STATE-3', 'a patch overwrites what was patched meanwhile', ({ intact }) => ({
    async patch(key, { entries = {}, remove = [] }, options) {
      const present = await intact.load(key, options)
      const value = present?.value ?? {}
      if (!isJsonObject(value)) return { status: 'not-object', current: present?.rev ?? '' }
      const next: JsonObject = { ...value, ...entries }
      for (const member of remove) delete next[member]
      return intact.save(key, next, options)
    },
  })),
  bug('C-STATE-3', 'a patch makes an object of a list', ({ intact }) => ({
    async patch(key, change, options) {
      const result = await intact.patch(key, change, options)
      return result.status === 'not-object' ? intact.save(key, change.entries ?? {}, options) : result
    },
  })),
  bug('C-STATE-3', 'a patch writes the other members anew', ({ intact }) => ({
    async patch(key, change, options) {
      const present = await intact.load(key, options)
      if (present) await intact.save(key, present.value, options)
      return intact.patch(key, change, options)
    },
  })),
  bug('C-STATE-4', 'update saves over what changed meanwhile', ({ intact }) => ({
    async update(key, change, options) {
      const present = await intact.load(key, options)
      const value = change(present?.value ?? null)
      if (value === undefined) return { status: 'unchanged', rev: present?.rev ?? null }
      const saved = await intact.save(key, value, options)
      return saved.status === 'saved' ? { ...saved, value } : saved
    },
  })),
  bug('C-STATE-5', 'keys come in the order of their making', ({ intact, data }) => ({
    keys: async (page, options) => ({ ...(await intact.keys(page, options)), items: [...data.hostState.keys()] }),
  })),
  bug('C-STATE-6', 'delete ignores the rev', ({ intact }) => ({
    delete: (key, options) => intact.delete(key, { signal: options?.signal }),
  })),
  bug('C-ALL-7', 'what JSON cannot express is left out', ({ intact }) => ({
    save: (key, value, options) => intact.save(key, JSON.parse(JSON.stringify(value) ?? 'null'), options),
  })),
  bug('C-ALL-9', 'unreadable data reads as absent', ({ intact }) => ({
    async load(key, options) {
      try {
        return await intact.load(key, options)
      } catch (error) {
        if (isStoreError(error, 'corrupt')) return null
        throw error
      }
    },
  })),
]

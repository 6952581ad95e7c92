import { createHostState as real } from '../../src/host-state.ts'

/** Saves what it computed, whatever was saved meanwhile. */
export const createHostState: typeof real = (tools) => {
  const store = real(tools)
  return {
    ...store,
    async update(key, change) {
      const value = change((await store.load(key))?.value ?? null)
      if (value === undefined) return { status: 'unchanged', rev: null }
      const { status, ...rest } = await store.save(key, value)
      return status === 'saved' && 'rev' in rest
        ? { status, value, rev: rest.rev }
        : { status: 'conflict', current: null }
    },
  }
}

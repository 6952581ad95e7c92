import { randomUUID } from 'node:crypto'
import type { Backend, Operations } from '@nexus/core'
import type { Harness } from '@nexus/testkit'
import { expect } from 'vitest'

/** Two at once under one id; both must be told the same. */
const both = async <T>(write: (id: string) => Promise<T>): Promise<T> => {
  const id = randomUUID()
  const [one, other] = await Promise.all([write(id), write(id)])
  expect(other).toEqual(one)
  return one
}

const operationsOf = ({ operations }: Backend): Operations => {
  if (!operations) throw new Error('The backend remembers no operations.')
  return operations
}

/** Every write that can have an id is sent twice. */
const writingTwice = (backend: Backend): Backend => {
  const { hostState, completions } = backend
  const operations = operationsOf(backend)
  return {
    ...backend,
    hostState: {
      ...hostState,
      save: (key, value, options = {}) =>
        options.ifRev === undefined
          ? both((id) => operations.saveState(id, key, value, options))
          : hostState.save(key, value, options),
      patch: (key, change, options) => both((id) => operations.patchState(id, key, change, options)),
    },
    completions: {
      ...completions,
      save: (completion, options) => both((id) => operations.saveCompletion(id, completion, options)),
    },
  }
}

export const sendingTwice = async (open: () => Promise<Harness>): Promise<Harness> => {
  const harness = await open()
  return {
    clock: harness.clock,
    foreign: harness.foreign,
    get backend() {
      return writingTwice(harness.backend)
    },
    peer: async () => writingTwice(await harness.peer()),
    reopen: async () => writingTwice(await harness.reopen()),
    advance: harness.advance,
    kill: harness.kill,
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  }
}

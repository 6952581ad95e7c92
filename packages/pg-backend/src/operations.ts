import {
  CompletionInput,
  type CompletionSaveResult,
  type Operations,
  type PatchResult,
  parseInput,
  type SaveResult,
} from '@nexus/core'
import { z } from 'zod'
import { createOnce, createPrune } from './applied.ts'
import { createCompletionSave } from './completions.ts'
import { createConflicts } from './conflicts.ts'
import { createStateWrites } from './host-state.ts'
import { createReplay } from './replay.ts'
import { createStateRows } from './state-rows.ts'
import type { PgTools } from './tools.ts'

/** As the statements record them. */
const StateAnswer = z.object({ status: z.literal('saved'), rev: z.string() })
const CompletionAnswer = z.object({ status: z.enum(['created', 'updated', 'unchanged']), dedupKey: z.string() })

/** Writes whose id is recorded with their effect, and what becomes of those that an outage kept back. */
export const createOperations = (tools: PgTools): Operations => {
  const { begin } = tools
  const state = createStateWrites(createStateRows(tools))
  const saveCompletion = createCompletionSave(tools)
  const once = createOnce(tools)
  const replay = createReplay(tools)
  const prune = createPrune(tools)
  return {
    ...createConflicts(tools),
    async saveState(id, key, value, options) {
      const call = begin(options)
      prune()
      return once<SaveResult>({ id, call, answer: StateAnswer }, (call) => state.save(key, value, call))
    },
    async patchState(id, key, change, options) {
      const call = begin(options)
      prune()
      return once<PatchResult>({ id, call, answer: StateAnswer }, (call) => state.patch(key, change, call))
    },
    async saveCompletion(id, completion, options) {
      const call = begin(options)
      const input = parseInput(CompletionInput, completion, 'completion')
      prune()
      return once<CompletionSaveResult>({ id, call, answer: CompletionAnswer }, (call) => saveCompletion(input, call))
    },
    async replay(journaled, options) {
      const call = begin(options)
      prune()
      return replay(journaled, call)
    },
  }
}

import type { Backend } from '@nexus/core'
import { maxTextBytes } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, present, refused } from './samples.ts'

const unstorable = ['\0', 'a\0b', '\uD800', 'end\uDBFF', '\uDC00start', '\uDE00\uD83D', 'a'.repeat(maxTextBytes + 1)]

/** Unusual and whole: stored and given back byte for byte. */
const unusual = [
  '',
  '\uFEFF',
  '\uFFFD\uFFFE\uFFFF',
  '\u{1FFFE}\u{10FFFF}',
  '\u0001\u0008\u001F\u007F\u0085',
  'e\u0301\u00e9',
  '\u202Ertl\u2066\u200B\u200D',
  '\r\r\n\n\u2028\u2029\u000B\u000C',
  "'; DROP TABLE nexus_task_files; -- \\' $1 $$ :name %s",
  '\\u0000 \\x00 \\N COPY \\.',
  '{"looks": "like JSON"',
  ' ',
]

type SaveText = (backend: Backend, text: string) => Promise<unknown>

/** Each place that takes text of any kind. */
const places: readonly { title: string; save: SaveText; load(backend: Backend): Promise<string | undefined> }[] = [
  {
    title: 'the content of a task file',
    save: ({ taskFiles }, content) => taskFiles.save(aTaskFile({ content })),
    load: async ({ taskFiles }) => (await taskFiles.load('alpha', 'login.md'))?.content,
  },
  {
    title: 'the summary of a completion',
    save: ({ completions }, summary) => completions.save(aCompletion({ summary })),
    load: async ({ completions }) => (await completions.scan()).items[0]?.summary,
  },
  {
    title: 'the report id of a completion',
    save: ({ completions }, reportId) => completions.save(aCompletion({ reportId })),
    load: async ({ completions }) => (await completions.scan()).items[0]?.reportId ?? undefined,
  },
  {
    title: 'the name of a workflow',
    save: ({ workflows }, name) => workflows.save(aWorkflow({ name })),
    load: async ({ workflows }) => (await workflows.load('alpha-7-full'))?.name,
  },
]

export const hostileText = (clause: Clause): void => {
  for (const { title, save, load } of places) {
    clause('C-ALL-6', `${title} that is no storable text is invalid, and nothing is written`, async ({ backend }) => {
      for (const text of unstorable) await refused(save(backend, text), 'invalid')
      expect(await load(backend)).toBeUndefined()
    })

    clause('C-ALL-6', `${title} comes back byte for byte`, async (t) => {
      for (const text of unusual) {
        await save(t.backend, text)
        expect(await load(t.backend)).toBe(text)
      }
      expect(await load(await t.reopen())).toBe(unusual.at(-1))
    })
  }

  clause('C-ALL-6', 'text of 16 MiB is kept', async ({ backend }) => {
    const content = 'ü'.repeat(maxTextBytes / 2)
    await backend.taskFiles.save(aTaskFile({ content }))
    const loaded = present(await backend.taskFiles.load('alpha', 'login.md'))
    expect(loaded.content === content).toBe(true)
  })
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What every file outside the root holds: whoever reads it there gives it away. */
export const canary = 'CANARY'

export const outsideFiles: Record<string, unknown> = {
  'state/k.json': { canary },
  'state/canary.json': { canary },
  'workflows/w.json': { id: 'w', name: canary, state: 'running', current_step: 0, canary },
  'tasks/alpha/active/t.md': canary,
  'tasks/alpha/closed/t.md': canary,
  'tasks/alpha/completions/completion_summary_1.json': { agent_type: canary, status: 'complete', summary: canary },
  'inbox/alpha/t.md': canary,
  'inbox/.q/processing/canary.1.canary.1': canary,
}

export const outsideFolders = [
  '.dedup',
  '.quarantine',
  '.rev',
  '.tmp',
  'inbox',
  'inbox/.q',
  'inbox/.q/done',
  'inbox/.q/ids',
  'inbox/.q/meta',
  'inbox/.q/processing',
  'inbox/.q/releasing',
  'inbox/.q/staged',
  'inbox/alpha',
  'state',
  'tasks',
  'tasks/alpha',
  'tasks/alpha/.meta',
  'tasks/alpha/active',
  'tasks/alpha/closed',
  'tasks/alpha/completions',
  'tasks/alpha/completions/.by-key',
  'tasks/alpha/completions/.seen',
  'workflows',
]

/** A folder outside that looks like a root. */
export const prepareOutside = (outside: string): void => {
  for (const folder of outsideFolders) mkdirSync(join(outside, folder), { recursive: true })
  for (const [file, content] of Object.entries(outsideFiles))
    writeFileSync(join(outside, file), typeof content === 'string' ? content : JSON.stringify(content))
}

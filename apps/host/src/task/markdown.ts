import { nameProblem } from '@nexus/core'
import { type Tier, tiers } from '@nexus/engine'

/** The value of a `**Label:** value` line, or null. What stands after a raw-input heading is the user's words, not ours. */
const field = (markdown: string, label: string): string | null => {
  const head = markdown.split(/^\*\*Raw Input:\*\*/m, 1)[0] ?? ''
  const found = new RegExp(`^\\*\\*${label}:\\*\\*[ \\t]*(\\S.*)$`, 'im').exec(head)
  return found?.[1]?.trim() ?? null
}

/** A name of an issue is shorter; to look for a number in a longer text takes time that grows with its square. */
const maxNameLength = 2048

/** The issue a task names: a number, or the last number of a URL. Null where it names none that we would create. */
export const issueNumberIn = (markdown: string): string | null => {
  const value = field(markdown, 'Issue')
  if (value === null || value.length > maxNameLength) return null
  const number = /^#?(\d+)$/.exec(value)?.[1] ?? /^\S+:\/\/\S*?(\d+)\D*$/.exec(value)?.[1] ?? null
  return number !== null && nameProblem('issueNumber', number) === null ? number : null
}

/** The kind of task (`feature`, `bug`, …), the last part of its workflow's id. */
export const taskTypeIn = (markdown: string): string => {
  const word = field(markdown, 'Type')?.toLowerCase() ?? ''
  return /^[a-z][a-z0-9_-]{0,31}$/.test(word) ? word : 'feature'
}

/** The tier a task names, or null. */
export const tierIn = (markdown: string): Tier | null => {
  const word = field(markdown, 'Tier')?.toLowerCase().replace('_', '-')
  return tiers.find((tier) => tier === word) ?? null
}

/** One line that tells a person which task this is. */
export const titleOf = (markdown: string, filename: string): string => {
  const named = field(markdown, 'Task Name')
  const line = markdown
    .split(/\r?\n/)
    .map((text) => text.trim())
    .find((text) => text !== '' && !text.startsWith('**') && !text.startsWith('---'))
  const title = (named ?? line ?? filename).replace(/^#+\s*/, '')
  return title.length > 120 ? `${title.slice(0, 119)}…` : title
}

const maxStem = 180

/** A name for the task's file that every store takes, as near to the given one as can be. */
export const taskFilename = (filename: string, taskId: string): string => {
  const base = filename.split(/[/\\]/).at(-1) ?? ''
  const stem = base
    .replace(/\.md$/i, '')
    .replace(/^\.+/, '')
    .replace(/\.{2,}/g, '.')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what no name may hold
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '_')
  const short = Array.from(stem).reduce(
    (kept, letter) => (Buffer.byteLength(kept + letter) <= maxStem ? kept + letter : kept),
    '',
  )
  const name = `${short}.md`
  return nameProblem('taskFilename', name) === null
    ? name
    : `task_${taskId.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)}.md`
}

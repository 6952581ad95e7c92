import { expect, test } from 'vitest'
import { canExist, checkName, isStoreError, type NameKind, nameProblem } from '../src/index.ts'

const kinds: Record<NameKind, number> = {
  project: 64,
  issueNumber: 32,
  agentType: 128,
  filename: 200,
  taskFilename: 200,
  workflowId: 128,
  stateKey: 128,
}

const names = (kind: NameKind): string => (kind === 'taskFilename' ? '.md' : '')

test.each(Object.entries(kinds) as [NameKind, number][])(
  '[C-ALL-5] a %s is at most %i bytes long',
  (kind, maxBytes) => {
    const end = names(kind)
    const longest = `${'x'.repeat(maxBytes - end.length)}${end}`
    expect(nameProblem(kind, longest)).toBeNull()
    expect(nameProblem(kind, `x${longest}`)).toMatch(/bytes long/)
    const wide = `${'ü'.repeat(Math.floor((maxBytes - end.length) / 2))}${end}`
    expect(nameProblem(kind, wide)).toBeNull()
    expect(nameProblem(kind, `üü${wide}`)).toMatch(/bytes long/)
  },
)

test.each(Object.keys(kinds) as NameKind[])('[C-ALL-5] what no %s may hold', (kind) => {
  const end = names(kind)
  for (const [name, problem] of [
    ['a/b', /separator/],
    ['a\\b', /separator/],
    ['a..b', /"\.\."/],
    ['.hidden', /dot/],
    ['a\0b', /U\+0000/],
    ['a\uD800b', /surrogate/],
    ['a\nb', /control/],
    ['a\u007Fb', /control/],
    ['a\u0085b', /control/],
  ] as const)
    expect(nameProblem(kind, `${name}${end}`), JSON.stringify(name)).toMatch(problem)
  expect(nameProblem(kind, '')).toBe('is empty')
  expect(nameProblem(kind, `a\u00A0\u202E~*? -${end}`)).toBeNull()
})

test('[C-ALL-5] a colon is refused in the parts of a dedup key alone', () => {
  const refusing = (Object.keys(kinds) as NameKind[]).filter((kind) => nameProblem(kind, `a:b${names(kind)}`) !== null)
  expect(refusing).toEqual(['project', 'issueNumber', 'agentType'])
})

test('[C-ALL-5] a task file ends in .md and has a name before it', () => {
  expect(nameProblem('taskFilename', 'task.md')).toBeNull()
  for (const name of ['task', 'task.MD', 'task.md.txt', 'md']) expect(nameProblem('taskFilename', name)).toMatch(/\.md/)
  expect(nameProblem('taskFilename', '.md')).not.toBeNull()
  expect(nameProblem('filename', 'task')).toBeNull()
})

test('[C-ALL-5] a refused name is an invalid error that shows it escaped and shortened', () => {
  const caught = (name: string): unknown => {
    try {
      checkName('stateKey', name)
    } catch (error) {
      return error
    }
    return null
  }
  expect(caught('launched_agents')).toBeNull()
  expect(isStoreError(caught('a\nb'), 'invalid')).toBe(true)
  expect(caught('a\nb')).toMatchObject({ message: 'The state key "a\\nb" holds a control character.' })
  expect((caught('x'.repeat(100_000)) as Error).message.length).toBeLessThan(200)
})

test('[C-ALL-5] only what no text column or file name can hold cannot exist', () => {
  for (const name of ['', 'a\0', '\uD800']) expect(canExist(name)).toBe(false)
  for (const name of ['.hidden', 'a/b', 'a..b', 'a\nb', 'x'.repeat(1000)]) expect(canExist(name)).toBe(true)
})

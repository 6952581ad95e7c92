import { nameProblem } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { issueNumberIn, taskFilename, taskTypeIn, titleOf } from '../src/task/markdown.ts'

describe('task markdown', () => {
  test.each([
    ['**Issue:** 42', '42'],
    ['**Issue:** #42', '42'],
    ['**issue:** https://github.com/o/r2/issues/42', '42'],
    ['**Issue:** https://git.example/o/r/-/issues/42#note', '42'],
    ['# Bug\n\n**Issue:**   7  \n', '7'],
    ['**Issue:** soon', null],
    ['The **Issue:** 5 is odd', null],
    ['**Issue:** 123456789012345678901234567890123', null],
    ['text\n\n**Raw Input:**\n**Issue:** 9', null],
    ['', null],
  ])('the issue number of %j', (markdown, expected) => {
    expect(issueNumberIn(markdown)).toBe(expected)
  })

  test.each([
    ['of 400 kB', '://a'.repeat(100_000)],
    ['of 2 KiB that ends with a number', `https://example.com/${'a'.repeat(2048)}/42`],
  ])('an issue with a name %s has no number', (_, name) => {
    expect(issueNumberIn(`**Issue:** ${name}`)).toBeNull()
  })

  test.each([
    ['**Type:** Bug', 'bug'],
    ['**Type:** hot fix', 'feature'],
    ['no type', 'feature'],
    ['**Type:** ../../etc', 'feature'],
  ])('the type of %j', (markdown, expected) => {
    expect(taskTypeIn(markdown)).toBe(expected)
  })

  test('the title is the task name, else the first words', () => {
    expect(titleOf('# Feature\n**Task Name:** say-hello\n\ntext', 'a.md')).toBe('say-hello')
    expect(titleOf('**Type:** bug\n\nThe cart is empty.', 'a.md')).toBe('The cart is empty.')
    expect(titleOf('', 'a.md')).toBe('a.md')
  })

  test.each([
    ['cart.md', 'cart.md'],
    ['cart', 'cart.md'],
    ['/tmp/../cart.md', 'cart.md'],
    ['..hidden.md', 'hidden.md'],
    ['a..b.md', 'a.b.md'],
    ['', 'task_17.md'],
    ['é'.repeat(150), `${'é'.repeat(90)}.md`],
    ['a\nb.md', 'a_b.md'],
  ])('the file of a task called %j', (filename, expected) => {
    expect(taskFilename(filename, '17')).toBe(expected)
    expect(nameProblem('taskFilename', taskFilename(filename, '17'))).toBeNull()
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandLine, promptFormOf, promptProblem } from '../../src/runner/command-line.ts'

const places = { prompt: 'do this', promptFile: '/root/runs/a/prompt.md', completionFile: '/root/c/summary.json' }
const kib = 1024

describe('how a prompt reaches a command', () => {
  test('on standard input, the command stays as it is', () => {
    expect(commandLine('a "$1"', 'stdin', places)).toEqual({ command: 'a "$1"', stdin: 'prompt' })
    expect(commandLine(['a', '-x'], 'stdin', places)).toEqual({ command: ['a', '-x'], stdin: 'prompt' })
  })

  test('as an argument, where {prompt} stands, else last', () => {
    expect(commandLine(['a', '-p={prompt}', '-x'], 'argument', places)).toEqual({
      command: ['a', '-p=do this', '-x'],
      stdin: 'none',
    })
    expect(commandLine(['a', '-x'], 'argument', places).command).toEqual(['a', '-x', 'do this'])
  })

  test('as a file, and not at all', () => {
    const command = ['a', '-f', '{prompt_file}', '--add={prompt_folder}', '--add={completion_folder}']
    const filled = ['a', '-f', '/root/runs/a/prompt.md', '--add=/root/runs/a', '--add=/root/c']
    for (const form of ['file', 'none'] as const)
      expect(commandLine(command, form, places)).toEqual({ command: filled, stdin: 'none' })
  })

  test('a line for the shell gets it as $1', () => {
    expect(commandLine('a "$1"', 'argument', places)).toEqual({
      command: ['/bin/sh', '-c', 'a "$1"', '/bin/sh', 'do this'],
      stdin: 'none',
    })
  })

  test('whatever it says, it is one argument and part of no other', () => {
    const words = fc.array(
      fc.oneof(fc.constantFrom('{prompt}', '{prompt_file}', '$(x)', '"', "'", ';', '\n'), fc.string()),
    )
    fc.assert(
      fc.property(words, (parts) => {
        const prompt = parts.join('').replaceAll('\0', '')
        const given = { ...places, prompt }
        expect(commandLine(['a', '{prompt}', 'z'], 'argument', given).command).toEqual(['a', prompt, 'z'])
        expect(commandLine('a "$1"', 'argument', given).command).toEqual(['/bin/sh', '-c', 'a "$1"', '/bin/sh', prompt])
      }),
    )
  })

  test('what Linux takes as one argument goes as one; a byte more, or a NUL, and it is told the file', () => {
    const most = 128 * kib - 1
    const told = ['a', 'Read the file /root/runs/a/prompt.md and do what it says.']
    const handed = (prompt: string) => commandLine(['a'], 'argument', { ...places, prompt }).command
    expect(handed('x'.repeat(most))).toEqual(['a', 'x'.repeat(most)])
    expect(handed('x'.repeat(most + 1))).toEqual(told)
    expect(handed('ü'.repeat(64 * kib))).toEqual(told)
    expect(handed('a\0b')).toEqual(told)
    const embedded = commandLine(['a', '--prompt={prompt}'], 'argument', { ...places, prompt: 'x'.repeat(most) })
    expect(embedded.command).toEqual(['a', `--prompt=${told[1]}`])
  })
})

test('a command shows its form by its placeholders', () => {
  expect(promptFormOf(['a', '-p={prompt}', '{prompt_file}'])).toBe('argument')
  expect(promptFormOf(['a', '{prompt_file}'])).toBe('file')
  expect(promptFormOf(['a'])).toBe('stdin')
  expect(promptFormOf('a {prompt}')).toBe('stdin')
})

test.each([
  ['a "$1"', 'argument'],
  ['a "$@"', 'argument'],
  ['a "$10"', 'argument'],
  ['a', 'file'],
  [['a'], 'argument'],
  [['a', '{prompt}'], 'argument'],
  [['a', '{prompt_file}'], 'stdin'],
] as const)('%j with %s is in order', (command, form) => expect(promptProblem(command, form)).toBeNull())

import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { durationText, liveLines } from '../src/live/lines.ts'
import { createScreen } from '../src/live/screen.ts'
import type { HeldTask } from '../src/loop/held.ts'
import { createTerminal } from './terminal.ts'

const now = 1_800_000_000_000

const held = (fields: Partial<HeldTask> = {}): HeldTask => ({
  project: 'shop',
  issueNumber: '12',
  filename: 'cart.md',
  running: [{ number: 2, name: 'develop', agent: 'developer', since: now - 252_000 }],
  steps: 3,
  progress: null,
  ...fields,
})

const options = { now, columns: 80, most: 10, color: false }

describe('a line per task', () => {
  test('says which, where it stands, who is at it, for how long, and what was last heard', () => {
    const tasks = [
      held({ progress: 'Looks into the cart' }),
      held({ project: 'gamma-shop', issueNumber: null, running: [] }),
    ]
    expect(liveLines(tasks, options)).toEqual([
      'shop/12             step 2 of 3  developer  4m12s  Looks into the cart',
      'gamma-shop/cart.md  between steps',
    ])
  })

  test('steps that run at the same time are named together', () => {
    const running = [
      { number: 2, name: 'a', agent: 'developer', since: now - 5_000 },
      { number: 3, name: 'b', agent: 'writer', since: now - 9_000 },
    ]
    expect(liveLines([held({ running })], options)).toEqual(['shop/12  step 2+3 of 3  developer+writer  9s'])
  })

  test('color dims what agents say, and nothing else', () => {
    expect(liveLines([held({ progress: 'half' })], { ...options, color: true })).toEqual([
      'shop/12  step 2 of 3  developer  4m12s  \u001b[2mhalf\u001b[22m',
    ])
  })

  test('what does not fit is counted', () => {
    const tasks = Array.from({ length: 8 }, (_, n) => held({ issueNumber: String(n), running: [] }))
    expect(liveLines(tasks, { ...options, most: 3 })).toEqual([
      'shop/0  between steps',
      'shop/1  between steps',
      '… and 6 more',
    ])
    expect(liveLines(tasks, { ...options, most: 8 })).toHaveLength(8)
    expect(liveLines(tasks, { ...options, most: 1 })).toEqual(['… and 8 more'])
    expect(liveLines([], options)).toEqual([])
  })

  test.each([
    [0, '0s'],
    [-5, '0s'],
    [59_999, '59s'],
    [252_000, '4m12s'],
    [3_599_000, '59m59s'],
    [3_840_000, '1h04m'],
    [183_600_000, '2d03h'],
  ])('%i ms are %s', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })

  test('no words of an agent break out of the line: not wider than the terminal, and nothing that steers it', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b[2J\u001b[1;1H',
        'a\nb\r\nc',
        '\u202eabc',
        '漢字かな'.repeat(20),
        '👩‍👩‍👧‍👦'.repeat(9),
        '\u009b31m',
        '\u0007',
      ),
    )
    fc.assert(
      fc.property(word, word, word, fc.integer({ min: 1, max: 200 }), (progress, agent, issueNumber, columns) => {
        const running = [{ number: 1, name: 's', agent, since: now }]
        const [line = ''] = liveLines([held({ progress, issueNumber, running })], { ...options, columns })
        expect(stringWidth(line)).toBeLessThanOrEqual(columns)
        expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe('the screen', () => {
  test('the lines stand below the log, each change is one write, and at the end the log alone is left', () => {
    const terminal = createTerminal()
    const screen = createScreen(terminal)
    screen.log.write('first\n')
    let lines = ['task a', 'task b']
    const end = screen.show(() => lines)
    expect(terminal.shown()).toEqual(['first', 'task a', 'task b'])
    const before = terminal.state.writes
    screen.log.write('second\n')
    expect(terminal.state.writes).toBe(before + 1)
    expect(terminal.shown()).toEqual(['first', 'second', 'task a', 'task b'])
    lines = ['task b']
    screen.log.write('third\n')
    expect(terminal.shown()).toEqual(['first', 'second', 'third', 'task b'])
    end()
    expect(terminal.shown()).toEqual(['first', 'second', 'third'])
    screen.log.write('fourth\n')
    expect(terminal.shown()).toEqual(['first', 'second', 'third', 'fourth'])
  })
})

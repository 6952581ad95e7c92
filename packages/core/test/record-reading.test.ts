import { describe, expect, test } from 'vitest'
import {
  compactJson,
  parseRecord,
  readRecords,
  type StoreError,
  type WorkflowRecord,
  workflowRecord,
} from '../src/index.ts'

const at = new Date('2026-03-04T05:06:07.089Z')

describe('compactJson', () => {
  test('takes away what says nothing and nothing else', () => {
    const text = '\uFEFF{\n  "a b" : [1.0, 12345678901234567890 ,\t"x \\" y\\\\"],\r\n "a b": "\\u00e9  "}\n'
    expect(compactJson(text)).toBe('{"a b":[1.0,12345678901234567890,"x \\" y\\\\"],"a b":"\\u00e9  "}')
  })

  test('is no deeper for a string of ten million escapes', () => {
    const text = JSON.stringify('\\'.repeat(5_000_000))
    expect(compactJson(` ${text} `)).toBe(text)
  })
})

describe('workflowRecord', () => {
  const columns = { id: 'w', name: 'N', state: 'running', currentStep: 2, createdAt: at, updatedAt: at }

  test('leaves the text alone where columns and document agree', () => {
    const text = `{"id":"w","name":"N","state":"running","current_step":2,"n":1.0,"created_at":"2026-03-04T05:06:07.089123+00:00","updated_at":"2026-03-04T05:06:07.089Z"}`
    expect(workflowRecord(columns, text)).toEqual({
      ok: true,
      record: { ...columns, project: null, issueNumber: null, data: text },
    })
  })

  test('gives the document the words of the columns where they disagree or it has none', () => {
    expect(workflowRecord(columns, '{ "state": "pending", "n": 1.0, "project": "alpha", "issue_number": 7 }')).toEqual({
      ok: true,
      record: {
        ...columns,
        project: 'alpha',
        issueNumber: '7',
        data: '{"state":"running","n":1.0,"project":"alpha","issue_number":7,"id":"w","name":"N","current_step":2,"created_at":"2026-03-04T05:06:07.089Z","updated_at":"2026-03-04T05:06:07.089Z"}',
      },
    })
  })

  test('says why a document is none', () => {
    expect(workflowRecord(columns, '[]')).toEqual({ ok: false, reason: 'is not a JSON object' })
    expect(workflowRecord(columns, '{"cut')).toMatchObject({ ok: false })
  })
})

describe('readRecords', () => {
  const state = (key: string, data = '1') => ({ key, data, updatedAt: at })
  const refusalOf = (records: Parameters<typeof readRecords<'hostState'>>[1]): string => {
    try {
      readRecords('hostState', records)
    } catch (error) {
      return `${(error as StoreError).code}: ${(error as StoreError).message}`
    }
    return 'taken'
  }

  test('takes the last of one key', () => {
    expect(readRecords('hostState', [state('a'), state('b'), state('a', '2')])).toEqual([state('a', '2'), state('b')])
  })

  test('names the record and what is wrong with it', () => {
    expect(refusalOf([state('a'), state('b', '{"cut')])).toMatch(
      /^invalid: The record b of hostState cannot be kept here: data is not JSON/,
    )
    expect(refusalOf([{ ...state('c'), updatedAt: new Date(Number.NaN) }])).toContain('The record c of hostState')
    expect(refusalOf([state('a\0')])).toContain('key holds U+0000')
  })

  test('takes 1000 at most', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => state(`k${n}`))
    expect(refusalOf(many(1001))).toBe('invalid: 1001 records in one call: give at most 1000.')
    expect(refusalOf(many(1000))).toBe('taken')
  })

  test('a workflow needs a document that is an object', () => {
    const record: WorkflowRecord = {
      id: 'w',
      name: 'N',
      state: 'odd',
      currentStep: 0,
      project: null,
      issueNumber: null,
      data: '[]',
      createdAt: at,
      updatedAt: at,
    }
    expect(() => readRecords('workflows', [record])).toThrow('data is not a JSON object')
    expect(readRecords('workflows', [{ ...record, data: '{}' }])).toHaveLength(1)
  })
})

describe('parseRecord', () => {
  const task = {
    id: '7',
    project: 'shop',
    workspace: '/w',
    filename: 'a.md',
    markdown: 'x',
    status: 'processing',
    priority: 0,
    runAt: at,
    attempts: 0,
    recoveries: 0,
    maxAttempts: 3,
    idempotencyKey: null,
    issueNumber: null,
    error: null,
    cancelRequested: false,
    createdAt: at,
    processedAt: null,
    epoch: 1,
    hold: { worker: 'w', leaseMs: 1_000, bound: true },
  }

  test('gives back what is one, as it is', () => {
    expect(parseRecord('inbox', task)).toEqual({ ok: true, record: task })
    const state = { key: 'k', data: '{"a":1.0}', updatedAt: at }
    expect(parseRecord('hostState', state)).toEqual({ ok: true, record: state })
  })

  test.each([
    [{ ...task, root: true }, 'has a member "root" too many'],
    [JSON.parse('{"__proto__":{}}'), 'has a member "__proto__" too many'],
    [{ ...task, hold: { ...task.hold, pid: 1 } }, 'hold has a member too many'],
    [{ ...task, hold: 'w' }, 'hold is no hold'],
    [{ ...task, runAt: at.toISOString() }, 'runAt is no date'],
    [{ ...task, id: undefined }, 'id is no text'],
    [{ id: '7' }, 'project is no text'],
    [[], 'id is no text'],
  ])('says what is wrong with what is none: %#', (value, reason) => {
    expect(parseRecord('inbox', value)).toEqual({ ok: false, reason })
  })
})

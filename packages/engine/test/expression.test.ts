import type { JsonObject } from '@nexus/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, expressionProblem } from '../src/expression.ts'

const report = { review_status: 'approved', score: 4, key_findings: ['one'], steps: { design: { verdict: 'ok' } } }

describe('decide', () => {
  test.each([
    ["review_status == 'approved'", true],
    ["review_status != 'approved' || score > 3", true],
    ["steps.design.verdict == 'ok' && score >= 3.5", true],
    ["key_findings.exists(f, f.contains('two'))", false],
    ['size(key_findings) == 1 && !(score in [1, 2])', true],
    ["unheard_of == 'x'", false],
    ['unheard_of == null', true],
    ['has(steps.design) && !has(steps.review)', true],
  ])('%s', (text, value) => {
    expect(decide(text, report)).toEqual({ value, problem: null })
  })

  test.each(['unheard_of > 3', "steps.review.verdict == 'ok'", 'review_status', 'a ==', 'review_status.verdict == 1'])(
    'what cannot be decided is false, and says why: %s',
    (text) => {
      const { value, problem } = decide(text, report)
      expect(value).toBe(false)
      expect(problem).toEqual(expect.any(String))
    },
  )

  test('nothing that a program inherits is a name', () => {
    for (const name of ['constructor', 'valueOf', 'toString', 'process', 'globalThis'])
      expect(decide(`${name} == null`, {})).toEqual({ value: true, problem: null })
    for (const path of ['__proto__', 'steps.__proto__', 'steps.constructor'])
      expect(decide(`${path} == null`, report).value).toBe(false)
  })

  test('any text and any report have a verdict', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.dictionary(fc.string(), fc.jsonValue()), (text, variables) => {
        expect(typeof decide(text, variables as JsonObject).value).toBe('boolean')
      }),
    )
  })
})

describe('expressionProblem', () => {
  test.each([
    ["a == 'x' and b == 'y'", /write && for "and"/],
    ["not (a == 'x')", /write ! for "not"/],
    ["a = 'x'", /write == to compare/],
    ['ready == True or done', /write \|\| for "or"/],
    ["name.matches('^(a+)+$')", /"matches" is not available/],
    ["'and' == ", /^(?!.*write &&)/],
    ['1 + 2', /it gives a int, where true or false is needed/],
  ])('%s', (text, problem) => {
    expect(expressionProblem(text)).toMatch(problem)
  })
})

import { StoreError } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { meaningOf, sqlStateOf, toStoreError } from '../src/pg-errors.ts'

const withCode = (code: string): Error => Object.assign(new Error('x'), { code })
const prisma = (code: string, originalCode?: string): Error =>
  Object.assign(new Error('x'), { code, meta: { driverAdapterError: { cause: { originalCode } } } })

describe('[C-PG-5] [C-ALL-2] what an error of the database means', () => {
  test.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    '57P03',
    '25006',
    '53100',
    '53300',
    '40001',
    '40P01',
    '08001',
    '28P01',
    '3D000',
  ])('%s: unavailable, certainly not applied', (code) =>
    expect(meaningOf(withCode(code))).toMatchObject({ code: 'unavailable', outcome: 'not-applied' }),
  )

  test.each(['ECONNRESET', 'ETIMEDOUT', '57P01', '57P02', '57014', '08006', '08P01', '58030', 'XX000'])(
    '%s: unavailable, perhaps applied',
    (code) => expect(meaningOf(withCode(code))).toMatchObject({ code: 'unavailable', outcome: 'unknown' }),
  )

  test.each(['22021', '22P05', '22001', '23505', '23502', '54000'])("%s: the caller's value", (code) =>
    expect(meaningOf(withCode(code))).toMatchObject({ code: 'invalid', outcome: 'not-applied', ends: 'none' }),
  )

  test.each(['42P01', '42703', '42501', '0A000'])('%s: not a database for this version', (code) =>
    expect(meaningOf(withCode(code))).toMatchObject({ code: 'unsupported', outcome: 'not-applied' }),
  )

  test.each(['XX001', 'XX002'])('%s: damaged', (code) =>
    expect(meaningOf(withCode(code))).toMatchObject({ code: 'corrupt' }),
  )

  test.each([
    ['Query read timeout', 'unknown'],
    ['Connection terminated unexpectedly', 'unknown'],
    ['timeout exceeded when trying to connect', 'not-applied'],
    ['Connection terminated due to connection timeout', 'not-applied'],
  ])('"%s", which has no code: unavailable, %s', (message, outcome) =>
    expect(meaningOf(new Error(message))).toMatchObject({ code: 'unavailable', outcome, ends: 'all' }),
  )

  test('only a lost race is repeated', () => {
    const codes = ['40001', '40P01', '23505', '57P01', '53300', '57014', 'ECONNREFUSED']
    expect(codes.filter((code) => meaningOf(withCode(code))?.retry)).toEqual(['40001', '40P01'])
  })

  test('an error in our own code is none of these, and passes through', () => {
    const error = new TypeError('x is not a function')
    expect(meaningOf(error)).toBeUndefined()
    expect(toStoreError(error)).toBe(error)
    const store = new StoreError({ code: 'closed', message: 'x' })
    expect(toStoreError(store)).toBe(store)
  })

  test('the SQLSTATE is found below Prisma and below a StoreError', () => {
    expect(sqlStateOf(prisma('P2010', '23505'))).toBe('23505')
    expect(meaningOf(prisma('P2010', '40001'))).toMatchObject({ retry: true })
    expect(meaningOf(prisma('P1001'))).toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
    expect(sqlStateOf(prisma('P1001'))).toBeUndefined()
    expect(sqlStateOf(withCode('EPIPE'))).toBeUndefined()
    expect(sqlStateOf(toStoreError(withCode('23505')))).toBe('23505')
  })
})

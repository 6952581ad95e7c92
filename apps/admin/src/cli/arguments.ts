import { maxPageLimit } from '@nexus/core'
import { InvalidArgumentError, Option } from 'commander'

/** Reads a whole number of an option or argument. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^-?\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`A whole number from ${least} to ${most} is meant.`)
    return value
  }

/** How many are shown at most. */
export const limitOption = (usual: number): Option =>
  new Option('--limit <n>', `so many at most, up to ${maxPageLimit}`)
    .argParser(wholeNumber(1, maxPageLimit))
    .default(usual)

/** Where the page before ended, as its `cursor` says. */
export const cursorOption = (): Option => new Option('--cursor <text>', 'go on behind the page that said this')

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const isUnit = (text: string | undefined): text is keyof typeof units => text !== undefined && text in units

/** A point in time, in UTC, or how long ago: `2026-03-01`, `2026-03-01T12:00:00Z`, `90m`, `36h`, `30d`. */
export const moment =
  (now: () => number = Date.now) =>
  (text: string): Date => {
    const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
    const at = isUnit(unit) ? new Date(now() - Number(count) * units[unit]) : new Date(text)
    if (!Number.isNaN(at.getTime()) && (isUnit(unit) || /^\d{4}-\d{2}-\d{2}/.test(text))) return at
    throw new InvalidArgumentError(
      'A date such as 2026-03-01 or 2026-03-01T12:00:00Z is meant, or an age such as 36h or 30d.',
    )
  }

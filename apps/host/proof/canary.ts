import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Logger } from '@nexus/core'

/** The mark is in the password however that is encoded. */
const mark = 'kanarie'
export const canary = { mark, password: `${mark}/4711@x:ÿ?#`, other: `${mark}-but wrong%` }

/** Everything that was said somewhere, to be searched for the canary. */
export interface Search {
  text(place: string, text: string): void
  /** With every member, hidden ones too, and whatever caused it. */
  error(place: string, error: unknown): void
  /** Every file below it, with its name. */
  folder(place: string, folder: string): void
  logger(place: string): Logger
  places(): number
  /** Where it was found. */
  found(): string[]
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : []
  })

const whole = (value: unknown): string =>
  `${inspect(value, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null })}\n${JSON.stringify(value)}`

export const createSearch = (): Search => {
  const texts: { place: string; text: string }[] = []
  const add = (place: string, text: string): void => void texts.push({ place, text })
  return {
    text: add,
    error: (place, error) => add(place, `${whole(error)}\n${String(error)}`),
    folder(place, folder) {
      for (const path of filesBelow(folder)) add(`${place}: ${path}`, `${path}\n${readFileSync(path, 'latin1')}`)
    },
    logger(place) {
      const at =
        (level: string) =>
        (...said: unknown[]): void =>
          add(`${place}, ${level}`, whole(said))
      return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
    },
    places: () => texts.length,
    found: () => texts.filter(({ text }) => text.includes(mark)).map(({ place }) => place),
  }
}

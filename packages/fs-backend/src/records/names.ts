import type { Listing } from '../listing.ts'
import { createSlices } from '../slices.ts'

/** The names in a folder in one order, from any name on, without holding them all. */
export interface Names {
  files(folder: string, after: string): AsyncGenerator<string>
  folders(folder: string, after: string): AsyncGenerator<string>
}

/** As many as are held at a time: a million take sixteen listings. */
const defaultMost = 65_536

/** Listed again at each page, since that costs less than a page. */
const few = 1000

/** A stretch of a folder's names: all there were beyond `after`, up to the last of them. */
interface Stretch {
  kind: 'files' | 'folders'
  folder: string
  after: string
  /** Ascending. */
  names: readonly string[]
  isLast: boolean
}

const firstBeyond = (names: readonly string[], after: string): number => {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((names[middle] ?? '') <= after) low = middle + 1
    else high = middle
  }
  return low
}

export const createNames = (listing: Listing, most = defaultMost): Names => {
  /** The next page goes on where the last one ended, mostly in the same folder. */
  let kept: Stretch | null = null

  const list = async (kind: Stretch['kind'], folder: string, after: string): Promise<Stretch> => {
    let names: string[] = []
    let isLast = true
    const cut = (): void => {
      names.sort()
      isLast &&= names.length <= most
      names = names.slice(0, most)
    }
    const take = kind === 'files' ? listing.names : listing.folders
    const slices = createSlices()
    await take(folder, async (found) => {
      for (const name of found) if (name > after) names.push(name)
      if (names.length >= 2 * most) cut()
      if (slices.isOver()) await slices.next()
    })
    cut()
    return { kind, folder, after, names, isLast }
  }

  /** From the beginning it is always listed anew. */
  const isKept = (kind: Stretch['kind'], folder: string, after: string): boolean =>
    after !== '' &&
    kept?.kind === kind &&
    kept.folder === folder &&
    kept.after <= after &&
    after <= (kept.names.at(-1) ?? '')

  const walk = async function* (kind: Stretch['kind'], folder: string, from: string): AsyncGenerator<string> {
    for (let after = from; ; ) {
      const stretch: Stretch = kept && isKept(kind, folder, after) ? kept : await list(kind, folder, after)
      if (stretch.names.length > few) kept = stretch
      for (let at = firstBeyond(stretch.names, after); at < stretch.names.length; at++) yield stretch.names[at] ?? ''
      if (stretch.isLast) return
      after = stretch.names.at(-1) ?? after
      if (kept === stretch) kept = null
    }
  }

  return {
    files: (folder, after) => walk('files', folder, after),
    folders: (folder, after) => walk('folders', folder, after),
  }
}

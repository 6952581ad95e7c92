import { createHash } from 'node:crypto'

const digestOf = (name: string): bigint => {
  const digest = createHash('sha256').update(name).digest().readBigUInt64LE()
  // Zero marks a free place.
  return digest === 0n ? 1n : digest
}

/**
 * Which names were seen, by the first eight bytes of their sha256: at most 32 bytes of memory for each, 48 while it grows.
 * That two of ten million names are taken for one happens three times in a million.
 */
export const createSeen = () => {
  let places = new BigUint64Array(1 << 12)
  let count = 0

  const placeOf = (digest: bigint): number => {
    const mask = places.length - 1
    let place = Number(digest & BigInt(mask))
    while (places[place] !== 0n && places[place] !== digest) place = (place + 1) & mask
    return place
  }

  const grow = (): void => {
    const before = places
    places = new BigUint64Array(before.length * 2)
    for (const digest of before) if (digest !== 0n) places[placeOf(digest)] = digest
  }

  return {
    /** False where it was seen before. */
    add(name: string): boolean {
      const digest = digestOf(name)
      const place = placeOf(digest)
      if (places[place] === digest) return false
      places[place] = digest
      count += 1
      if (count * 2 > places.length) grow()
      return true
    },
  }
}

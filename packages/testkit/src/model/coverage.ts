import type { Expected } from './expected.ts'

/** How often each verb gave each answer. */
export interface Coverage {
  count(verb: string, kind: string): void
  /** The least of the answers that are expected. */
  least(expected: Expected): { name: string; times: number }
  /** Answers that cannot come and came. */
  unexpected(expected: Expected): string[]
  lines(): string[]
}

export const createCoverage = (): Coverage => {
  const counted = new Map<string, Map<string, number>>()
  return {
    count(verb, kind) {
      const kinds = counted.get(verb) ?? new Map<string, number>()
      counted.set(verb, kinds.set(kind, (kinds.get(kind) ?? 0) + 1))
    },
    least(expected) {
      const all = Object.entries(expected).flatMap(([verb, kinds]) =>
        Object.entries(kinds)
          .filter(([, expect]) => expect === true)
          .map(([kind]) => ({ name: `${verb} → ${kind}`, times: counted.get(verb)?.get(kind) ?? 0 })),
      )
      return all.sort((a, b) => a.times - b.times)[0] ?? { name: 'nothing', times: 0 }
    },
    unexpected: (expected) =>
      [...counted].flatMap(([verb, kinds]) => {
        const known = expected[verb]
        return known ? [...kinds.keys()].filter((kind) => known[kind] !== true).map((kind) => `${verb} → ${kind}`) : []
      }),
    lines: () =>
      [...counted]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([verb, kinds]) => {
          const times = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, n]) => `${kind} ${n}`)
          return `  ${verb}: ${times.join(', ')}`
        }),
  }
}

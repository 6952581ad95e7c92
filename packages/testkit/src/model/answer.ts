import { isStoreError, type JsonValue } from '@nexus/core'

/** What an operation answered, without what may differ between backends. */
export interface Answer {
  /** The status, or the code of what was thrown; coverage counts it. */
  kind: string
  detail: JsonValue
}

export const answer = (kind: string, detail: JsonValue = null): Answer => ({ kind, detail })

/** The answer, or the code of the `StoreError` in its place; `seen` gets the rev of unreadable data. */
export const answerOf = async (work: () => Promise<Answer>, seen?: (rev: string) => void): Promise<Answer> => {
  try {
    return await work()
  } catch (error) {
    if (!isStoreError(error)) throw error
    if (error.rev !== undefined) seen?.(error.rev)
    return answer(error.code, { outcome: error.outcome, hasRev: error.rev !== undefined })
  }
}

/** JSON with sorted members: two backends may keep another order of what they read. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )

/** For lists whose order differs for a reason. */
export const unordered = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, key: canonical(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ item }) => item)

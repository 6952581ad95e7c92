import { isJsonObject, type JsonObject, type Page, parseJson } from '@nexus/core'

export const readJsonObject = (text: string): { ok: true; value: JsonObject } | { ok: false; reason: string } => {
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed
  return isJsonObject(parsed.value) ? { ok: true, value: parsed.value } : { ok: false, reason: 'is not a JSON object' }
}

/** The driver reads `infinity` as a number, which is no date of ours. */
export const readDate = (value: Date | number | null): Date | null => (value instanceof Date ? value : null)

export const emptyPage = <T>(): Page<T> => ({ items: [], corrupt: [], cursor: null })

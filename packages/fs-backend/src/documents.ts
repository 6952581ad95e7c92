import type { Stats } from 'node:fs'
import {
  contentRev,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type ParsedJson,
  parseJson,
  type Rev,
} from '@nexus/core'
import { isIndentable } from './json-text.ts'
import { sha256 } from './layout.ts'
import type { ReadFile, Reading } from './reading.ts'

/** A JSON file as it lies there. */
export interface StoredDocument {
  path: string
  bytes: Buffer
  stat: Stats
  rev: Rev
  parsed: ParsedJson
}

const strictUtf8 = (bytes: Uint8Array): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** The file's text, or null where its bytes are no UTF-8. */
export const textOf = (bytes: Uint8Array): string | null => strictUtf8(bytes)

const parseBytes = (bytes: Uint8Array): ParsedJson => {
  const text = strictUtf8(bytes)
  return text === null ? { ok: false, reason: 'is not UTF-8' } : parseJson(text)
}

export const bytesRev = (bytes: Uint8Array): Rev => contentRev(sha256(bytes))

export const documentOf = (path: string, { bytes, stat }: ReadFile): StoredDocument => ({
  path,
  bytes,
  stat,
  rev: bytesRev(bytes),
  parsed: parseBytes(bytes),
})

export const readDocument = async (reading: Reading, path: string): Promise<StoredDocument | null> => {
  const file = await reading.read(path)
  return file && documentOf(path, file)
}

/** The document as an object; a list or scalar is as unreadable as broken JSON. */
export const objectOf = ({
  parsed,
}: StoredDocument): { ok: true; value: JsonObject } | { ok: false; reason: string } => {
  if (!parsed.ok) return parsed
  return isJsonObject(parsed.value) ? { ok: true, value: parsed.value } : { ok: false, reason: 'is not a JSON object' }
}

/** JSON as the documented files have it: indented by two, a newline at the end. */
export const encodeJson = (value: JsonValue): string => {
  const compact = JSON.stringify(value)
  return `${isIndentable(compact) ? JSON.stringify(value, null, 2) : compact}\n`
}

/** Files keep times in fractions of a millisecond that a double cannot hold exactly. */
export const modifiedOf = ({ mtimeMs }: Stats): Date => new Date(Math.round(mtimeMs))

/** What a hand-made file says about when it was made: copying resets the one time, editing the other. */
export const madeOf = ({ birthtimeMs, mtimeMs }: Stats): Date =>
  new Date(Math.round(birthtimeMs > 0 ? Math.min(birthtimeMs, mtimeMs) : mtimeMs))

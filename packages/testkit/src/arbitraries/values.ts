import type { JsonObject, JsonValue } from '@nexus/core'
import { textProblem } from '@nexus/core'
import fc from 'fast-check'

/** Any text that a store keeps. */
export const storableText: fc.Arbitrary<string> = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((text) => textProblem(text) === null)

/** Any JSON value as it comes out of JSON text; strings inside may hold anything. */
export const jsonValue: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)

export const jsonObject: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.string({ unit: 'binary', maxLength: 8 }),
  jsonValue,
  {
    maxKeys: 5,
  },
)

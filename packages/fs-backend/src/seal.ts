import type { JsonObject } from '@nexus/core'
import { shortHash } from './layout.ts'

const sumOf = (value: JsonObject): string => shortHash(JSON.stringify(value))

/** A record that nobody but this store writes, with a sum of it: a flipped bit in a string is still JSON. */
export const seal = (value: JsonObject): JsonObject => ({ ...value, check: sumOf(value) })

/** False where something changed it since. One without a sum is taken as it is. */
export const isWhole = ({ check, ...value }: JsonObject): boolean => check === undefined || check === sumOf(value)

import pg from 'pg'
import { readJson, stringifyJson } from '../base/exact-json.ts'

/**
 * Values to and from Postgres's text form. Both backends use the same code, so that a store cannot work on one and fail
 * on the other.
 */

type Parser = (text: string) => unknown

/** `2026-11-22 14:43:19.123456` → `2026-11-22T14:43:19.123456Z`; a `Date` would lose microseconds and use local time. */
const timestamp: Parser = (text) => `${text.replace(' ', 'T')}Z`
/** with time zone; sessions run in UTC, so the offset is always +00 */
const timestamptz: Parser = (text) => timestamp(text.replace(/\+00(:00)?$/, ''))
const text: Parser = (value) => value
const bytes: Parser = (value) => Buffer.from(value.slice(2), 'hex')

/** By the number of the type. */
const PARSERS: Readonly<Record<number, Parser>> = {
  17: bytes,
  20: Number, // int8; sequence numbers and counts stay far below 2^53
  114: readJson,
  1082: text, // date
  1114: timestamp,
  1184: timestamptz,
  1700: text, // numeric
  3802: readJson,
}

/** Arrays whose elements need one of the parsers above: number of the array type → its element's. */
const ARRAY_PARSERS: Readonly<Record<number, Parser>> = { 1016: Number, 1115: timestamp, 1185: timestamptz }

/** What statements answer with, whichever server gives the text. */
export const TYPES = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => parserFor(oid, format),
} as pg.CustomTypesConfig

function parserFor(oid: number, format?: 'text' | 'binary'): unknown {
  const element = ARRAY_PARSERS[oid]
  if (element) {
    const list = pg.types.getTypeParser(1009 as number, 'text') as (text: string) => (string | null)[]
    return (text: string) => list(text).map((item) => (item === null ? null : element(item)))
  }
  return PARSERS[oid] ?? pg.types.getTypeParser(oid, format as 'text')
}

/**
 * One parameter as text. Objects become JSON; an array becomes a Postgres array, so that `any($1)` and `unnest` work: a
 * JSON array must be given as `stringifyJson(list)`.
 *
 * @throws TypeError for a `Date` (it has no microseconds: use RFC 3339 text), NaN, a function or a symbol
 */
export function encodeValue(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isNaN(value)) return String(value)
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(',')}}`
  if (typeof value === 'object' && !(value instanceof Date)) return stringifyJson(value)
  throw new TypeError('a parameter of a statement is of a kind that is not sent to a database')
}

function encodeElement(value: unknown): string {
  if (Array.isArray(value)) return encodeValue(value)!
  const encoded = encodeValue(value)
  return encoded === null ? 'NULL' : `"${encoded.replace(/[\\"]/g, '\\$&')}"`
}

import { formatTime, parseTime, type Timestamp } from '../../kernel/base/clock.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import { END_CAUSES, EVENT_TYPES, type EventFilter } from '../types.ts'
import { type Position, parsePosition } from './position.ts'

export interface EventListQuery {
  filter: EventFilter
  since: Timestamp
  before: { createdAt: Timestamp; seq: number }
  size: number
}

const EPOCH = '1970-01-01T00:00:00Z'
const END_OF_TIME = '2200-01-01T00:00:00Z'
const DEFAULT_SIZE = 100
export const MAX_SIZE = 1000
/** No sequence number is greater, and none may be that JSON numbers could not hold. */
const MAX_SEQ = Number.MAX_SAFE_INTEGER

/** `type`, `cause` (each repeatable, or a list with commas), `session_id`, `identity_id`. @throws HttpError 400 */
export function readFilter(query: URLSearchParams): EventFilter {
  return {
    types: words(query, 'type', EVENT_TYPES),
    causes: words(query, 'cause', END_CAUSES),
    sessionId: uuid(query, 'session_id'),
    identityId: uuid(query, 'identity_id'),
  }
}

/** The filter, `since`, `until` (RFC 3339), `page_size`, `page_token`. @throws HttpError 400 */
export function readListQuery(query: URLSearchParams): EventListQuery {
  const token = query.get('page_token') ?? ''
  const before = token === '' ? { createdAt: time(query, 'until') ?? END_OF_TIME, seq: 0 } : decodeToken(token)
  const size = readInteger(query, 'page_size', 1, MAX_SIZE) ?? DEFAULT_SIZE
  return { filter: readFilter(query), since: time(query, 'since') ?? EPOCH, before, size }
}

/** @throws HttpError 400 when it is no whole number within the bounds */
export function readInteger(query: URLSearchParams, name: string, min: number, max = MAX_SEQ): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw badRequest(`"${name}" must be a whole number from ${min} to ${max}.`)
  return value
}

/** @throws HttpError 400 */
export function readPosition(query: URLSearchParams, name: string): Position | undefined {
  const text = query.get(name) ?? ''
  return text === '' ? undefined : parsePosition(text, name)
}

export function encodeToken({ time, seq }: { time: Timestamp; seq: number }): string {
  return `${parseTime(time)}-${seq}`
}

function decodeToken(token: string): EventListQuery['before'] {
  const [, micros, seq] = /^(\d{1,16})-(\d{1,16})$/.exec(token) ?? []
  const [at, position] = [Number(micros), Number(seq)]
  if (!(at <= MAX_SEQ && position <= MAX_SEQ)) throw badRequest('The page token is not one that this server gave out.')
  return { createdAt: formatTime(at), seq: position }
}

function words(query: URLSearchParams, name: string, known: readonly string[]): string[] | undefined {
  const given = query
    .getAll(name)
    .flatMap((text) => text.split(','))
    .filter((word) => word !== '')
  const unknown = given.find((word) => !known.includes(word))
  if (unknown !== undefined) throw badRequest(`"${name}" must be one of ${known.join(', ')}.`)
  return given.length === 0 ? undefined : given
}

function uuid(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  if (!isUuid(text)) throw badRequest(`"${name}" must be a UUID.`)
  return text.toLowerCase()
}

function time(query: URLSearchParams, name: string): Timestamp | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  const micros = parseTime(text)
  if (!(micros >= 0 && micros < parseTime(END_OF_TIME))) throw badRequest(`"${name}" must be a time such as ${EPOCH}.`)
  return formatTime(micros)
}

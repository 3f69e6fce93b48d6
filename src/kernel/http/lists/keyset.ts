import { formatTime, parseTime, type Timestamp } from '../../base/clock.ts'
import { isUuid } from '../../base/uuid.ts'
import { badRequest, HttpError } from '../errors.ts'
import { DEFAULT_SIZE, link, MAX_SIZE } from './pagination.ts'

/** The row after which a page begins, in a list that is sorted by time, newest first, then by id. */
export interface PageKey {
  createdAt: Timestamp
  id: string
}

export interface KeysetPage {
  size: number
  after: PageKey
}

/** Rows on a page by default, and at most. */
export interface PageSizes {
  usual: number
  most: number
}

const SIZES: PageSizes = { usual: DEFAULT_SIZE, most: MAX_SIZE }

/** Sorts before every row. Kratos's link to the first page holds this text. */
const FIRST: PageKey = { createdAt: '2200-12-31T23:59:59Z', id: '00000000-0000-0000-0000-000000000000' }

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/

/**
 * Reads `page_size` and `page_token`, also a token that Kratos made.
 * @throws HttpError 400
 */
export function parseKeysetPage(query: URLSearchParams, sizes: PageSizes = SIZES): KeysetPage {
  const token = query.getAll('page_token').find((text) => text !== '')
  const after = token === undefined ? FIRST : decodeKey(token)
  const size = query.getAll('page_size').find((text) => text !== '')
  if (size !== undefined && !/^[+-]?\d+$/.test(size)) throw unreadable()
  const rows = Number(size ?? 0)
  return { after, size: rows <= 0 ? sizes.usual : Math.min(sizes.most, rows) }
}

/** The `Link` header; without `next` on the last page. */
export function keysetLinks(path: string, query: URLSearchParams, size: number, next: PageKey | undefined): string {
  const to = (rel: string, key: PageKey) =>
    link(rel, path, query, { page_size: String(size), page_token: encodeKey(key) })
  return next === undefined ? to('first', FIRST) : `${to('first', FIRST)},${to('next', next)}`
}

/** With all six decimals: Kratos writes five, so that a page may begin with the last row of the one before. */
function encodeKey({ createdAt, id }: PageKey): string {
  const time = createdAt.replace('T', ' ').replace('Z', '')
  return Buffer.from(`created_at=${time}/id=${id}`).toString('base64').replaceAll('=', '')
}

function decodeKey(token: string): PageKey {
  if (!/^[A-Za-z0-9+/]+$/.test(token) || token.length % 4 === 1) throw unreadable()
  const parts = new Map<string, string>()
  for (const part of Buffer.from(token, 'base64').toString('latin1').split('/')) {
    const at = part.indexOf('=')
    if (at > 0) parts.set(part.slice(0, at), part.slice(at + 1))
  }
  const id = parts.get('id') ?? ''
  const [, day, time] = TIME.exec(parts.get('created_at') ?? '') ?? []
  const micros = parseTime(`${day}T${time}Z`)
  // No row is older than 1970, and Postgres refuses the year 0000.
  if (!isUuid(id) || !(micros >= 0)) throw crafted()
  return { createdAt: formatTime(micros), id: id.toLowerCase() }
}

/** Kratos names the size, whichever of the two cannot be read. */
const unreadable = () => new HttpError(400, 'could not parse parameter page_size')
const crafted = () => badRequest('The page token is not one that this server gave out.')

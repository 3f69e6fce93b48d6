import { isCredentialType } from '../../credentials/descriptors.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import { normaliseIdentifier } from '../normalise.ts'
import type { ListFilter } from '../store.ts'

/** Pages by the id of the row before (`page_token`), or by number, the older way, which needs a total. */
export type Paging = { kind: 'token'; after: string; size: number } | { kind: 'number'; page: number; size: number }

export interface ListQuery {
  filter: ListFilter
  paging: Paging
  /** whether credentials are read: when the caller asks for them, or searches by them */
  credentials: boolean
  /** types whose configs are shown */
  include: string[]
}

/** Sorts before every identity. */
export const FIRST = '00000000-0000-0000-0000-000000000000'
const DEFAULT_SIZE = 250
const MAX_SIZE = 500
const MAX_IDS = 500
/** Numbered pages read all rows before them and drop them. */
const MAX_NUMBERED_ROWS = 1000

/** @throws 400 */
export function readListQuery(query: URLSearchParams): ListQuery {
  const include = readInclude(query, (wrong) => wrong)
  const filter = readFilter(query)
  const credentials = include.length > 0 || filter.kind === 'identifier' || filter.kind === 'similar'
  return { filter, paging: readPaging(query), credentials, include }
}

/**
 * Credential types to show with their configs.
 * @param named what the refusal names: for one identity Kratos names the types before the wrong one, as a list of Go
 * @throws 400
 */
export function readInclude(
  query: URLSearchParams,
  named: (wrong: string, before: string[]) => string = (_wrong, before) => `[${before.join(' ')}]`,
): string[] {
  const include = query.getAll('include_credential')
  const at = include.findIndex((type) => !isCredentialType(type))
  if (at === -1) return include
  const value = named(include[at]!, include.slice(0, at))
  throw badRequest(`Invalid value \`${value}\` for parameter \`include_credential\`.`)
}

function readFilter(query: URLSearchParams): ListFilter {
  const filters: ListFilter[] = []
  const ids = query.getAll('ids')
  if (ids.length > MAX_IDS) throw badRequest(`The number of ids to filter must not exceed ${MAX_IDS}.`)
  if (ids.length > 0) filters.push({ kind: 'ids', ids: ids.map((id) => uuid(id, 'ids')) })
  const organization = query.get('organization_id') ?? ''
  if (organization !== '') filters.push({ kind: 'organization', organization: uuid(organization, 'organization_id') })
  for (const [kind, name] of SEARCHES) {
    const exact = query.get(name) ?? ''
    if (exact !== '') filters.push({ kind, normalised: normaliseIdentifier(storable(exact, name)), exact })
  }
  if (filters.length > 1) throw badRequest('You cannot combine multiple filters in this API')
  return filters[0] ?? { kind: 'all' }
}

const SEARCHES = [
  ['identifier', 'credentials_identifier'],
  ['similar', 'preview_credentials_identifier_similar'],
] as const

function uuid(text: string, name: string): string {
  if (!isUuid(text)) throw badRequest(`Invalid UUID value \`${text}\` for parameter \`${name}\`.`)
  return text
}

/** No stored text holds a NUL or half a character; the database would answer with an error. */
function storable(text: string, name: string): string {
  if (text.includes('\0') || !text.isWellFormed()) {
    throw badRequest(`The parameter \`${name}\` holds a character that cannot be stored.`)
  }
  return text
}

function readPaging(query: URLSearchParams): Paging {
  if (query.has('page_token') || query.has('page_size') || !query.has('page')) {
    const size = query.has('page_size') ? query.get('page_size') : query.get('per_page')
    return { kind: 'token', after: pageToken(query), size: tokenSize(size ?? '') }
  }
  const size = Math.min(MAX_SIZE, Math.max(1, integer(query.get('per_page')) ?? DEFAULT_SIZE))
  const page = Math.max(0, integer(query.get('page')) ?? 0)
  if (page * size > MAX_NUMBERED_ROWS) {
    throw badRequest(
      `Legacy pagination is not supported for enumerating over ${MAX_NUMBERED_ROWS} items. Please switch to using page_token and page_size.`,
    )
  }
  return { kind: 'number', page, size }
}

function pageToken(query: URLSearchParams): string {
  const token = query.getAll('page_token').find((text) => text !== '')
  if (token !== undefined && !isUuid(token)) throw badRequest('The page token is not one that this server gave out.')
  return token ?? FIRST
}

function tokenSize(text: string): number {
  const size = text === '' ? 0 : integer(text)
  if (size === undefined) throw badRequest('The page size is not a number.')
  return size <= 0 ? DEFAULT_SIZE : Math.min(MAX_SIZE, size)
}

function integer(text: string | null): number | undefined {
  return text !== null && /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined
}

import { badRequest } from '../errors.ts'

/** Which rows a list by pages is asked for. */
export interface OffsetPage {
  /** rows on a page */
  size: number
  /** number of the page as the links count, from zero */
  page: number
  /** rows to skip */
  offset: number
}

/** Rows on a page by default, and at most. */
export const DEFAULT_SIZE = 250
export const MAX_SIZE = 1000

/**
 * Reads `page` and `per_page`, or `page_token` and `page_size`, which win. A value that is not a number counts as absent, as in
 * Kratos. `page` counts from one and the links count from zero (recorded), so a client that followed the links of
 * Kratos got the first page twice and never the last; here the token of a link is an offset and means what it says.
 * @throws HttpError 400 for a page beyond what a number can hold exactly
 */
export function parseOffsetPage(query: URLSearchParams): OffsetPage {
  if (query.has('page_token') || query.has('page_size')) {
    const size = pageSize(query.get('page_size'))
    const page = Math.trunc(Math.max(0, decodeOffset(query.get('page_token') ?? '')) / size)
    return { size, page, offset: exact(page * size, 'page_token') }
  }
  const size = pageSize(query.get('per_page'))
  const page = Math.max(0, integer(query.get('page')) ?? 0)
  exact(page * size, 'page')
  return { size, page, offset: Math.max(0, page - 1) * size }
}

/**
 * The `Link` header of a list by pages, with the page numbers of Kratos. They call `page=1` the second page
 * although it is the first: `next` and `prev` continue from the rows that were shown, so that a walk along the links
 * meets each row. Pages of a single row keep the recorded links.
 * @see Kratos pagination HeaderWithFormatter
 */
export function offsetLinks(
  path: string,
  query: URLSearchParams,
  { size, page, offset }: OffsetPage,
  total: number,
): string {
  const last = total % size === 0 ? total - size : Math.trunc(total / size) * size
  const links = (targets: [rel: string, offset: number][], per = size) =>
    targets.map(([rel, to]) => link(rel, path, query, offsetParams(to, per))).join(',')

  if (total === 0) {
    // An empty list has a next page (recorded); the one after it has none, or a walk along the links would never end.
    const next: [string, number][] = page > 0 ? [] : [['next', size]]
    return links([['first', 0], ...next, ['prev', page * size - size]])
  }
  if (total <= size) return links([['first', 0]], total)
  const rowsFollow = offset + size < total && size > 1
  if (page * size >= last && !rowsFollow)
    return links([
      ['first', 0],
      ['prev', last - size],
    ])
  if (page === 0)
    return links([
      ['next', size],
      ['last', last],
    ])
  return links([
    ['first', 0],
    ['next', offset + size],
    ['prev', Math.max(0, offset - size)],
    ['last', last],
  ])
}

function pageSize(text: string | null): number {
  return Math.min(MAX_SIZE, Math.max(1, integer(text) ?? DEFAULT_SIZE))
}

/** One link; its parameters replace those of the request, the others stay. Sorted by name, as Kratos does. */
export function link(rel: string, path: string, query: URLSearchParams, params: Record<string, string>): string {
  const all = new URLSearchParams(query)
  for (const [name, value] of Object.entries(params)) all.set(name, value)
  all.sort()
  return `<${path}?${all}>; rel="${rel}"`
}

function offsetParams(offset: number, size: number): Record<string, string> {
  return {
    page: String(Math.trunc(offset / size)),
    page_size: String(size),
    page_token: Buffer.from(`{"offset":"${offset}","v":2}`).toString('base64url'),
    per_page: String(size),
  }
}

function decodeOffset(token: string): number {
  const [, digits] = /^\{"offset":"?([+-]?\d+)"?[,}]/.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? []
  return digits === undefined ? 0 : Number(digits)
}

function integer(text: string | null): number | undefined {
  return text !== null && /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

function exact(offset: number, name: string): number {
  if (offset <= Number.MAX_SAFE_INTEGER) return offset
  throw badRequest(`The query parameter "${name}" is too large.`)
}

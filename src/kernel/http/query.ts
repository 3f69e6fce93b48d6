import type { FastifyRequest } from 'fastify'

/**
 * The parameters of a query as Kratos reads them: a pair with a broken escape or a semicolon is dropped, not
 * guessed at. One that is not UTF-8 stays as it was written.
 */
export function queryPairs(query: string): [name: string, value: string][] {
  return query.split('&').flatMap((pair): [string, string][] => {
    if (pair === '' || pair.includes(';') || /%(?![0-9A-Fa-f]{2})/.test(pair)) return []
    const at = pair.indexOf('=')
    const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    return [[decoded(name), decoded(value)]]
  })
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

/** {@link queryPairs} by name; a repeated one keeps all its values. */
export function parseQuery(query: string): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of queryPairs(query)) {
    const known = all[name]
    if (Array.isArray(known)) known.push(value)
    else all[name] = known === undefined ? value : [known, value]
  }
  return all
}

/** The first value of a query parameter; empty when it is absent, as Kratos reads it. */
export function queryValue(req: FastifyRequest, name: string): string {
  const value = (req.query as Record<string, string | string[] | undefined>)[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

/** All values of a query parameter that may be repeated. */
export function queryValues(req: FastifyRequest, name: string): string[] {
  const value = (req.query as Record<string, string | string[] | undefined>)[name]
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}

/** Encodes query parameters as Kratos does: sorted by name, spaces as `+`. */
export function encodeQuery(params: Record<string, string>): string {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return new URLSearchParams(sorted).toString()
}

/** Appends or replaces parameters of a URL, which may be relative; the others stay. */
export function withQuery(url: string, params: Record<string, string>): string {
  const [, base = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(url) ?? []
  const merged = { ...Object.fromEntries(new URLSearchParams(query)), ...params }
  return `${base}?${encodeQuery(merged)}${fragment}`
}

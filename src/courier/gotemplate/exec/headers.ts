import { type Headers, List, type Method, type Value } from '../values.ts'

/** The methods that headers have beside being a map; names of headers in any case. */
export function headerMethod(headers: Headers, name: string): Method | undefined {
  if (name === 'Get') return { params: ['string'], call: ([key]) => values(headers, key)[0] ?? '' }
  if (name === 'Values') return { params: ['string'], call: ([key]) => new List(values(headers, key), 'string') }
  return undefined
}

function values(headers: Headers, key: Value): readonly Value[] {
  const list = headers.entries.get(canonical(String(key)))
  return list instanceof List ? list.items : []
}

/** `x-forwarded-for` is kept as `X-Forwarded-For`. */
function canonical(name: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name
  return name
    .toLowerCase()
    .replace(/(^|-)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())
}

import { fits, type Vars } from './template.ts'

export interface Cookie {
  name: string
  value: string
  attributes: Record<string, string | true>
}

export function parseSetCookie(line: string): Cookie {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const attributes: Record<string, string | true> = {}
  for (const part of rest.filter((p) => p !== '')) {
    const eq = part.indexOf('=')
    attributes[(eq < 0 ? part : part.slice(0, eq)).toLowerCase()] = eq < 0 ? true : part.slice(eq + 1)
  }
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes }
}

/** What a browser keeps of several lines: the last one for each name, domain and path. */
export function sticking(lines: string[]): string[] {
  const kept = new Map<string, string>()
  for (const line of lines) {
    const { name, attributes } = parseSetCookie(line)
    const key = [name, attributes.domain, attributes.path].join('|')
    kept.delete(key)
    kept.set(key, line)
  }
  return [...kept.values()]
}

/** Whether a cookie is as recorded; the order of its attributes does not matter. */
export function cookieFits(expected: string, got: string, vars: Vars): boolean {
  const [e, g] = [parseSetCookie(expected), parseSetCookie(got)]
  const names = Object.keys(e.attributes).sort()
  return (
    fits(e.name, g.name, vars) &&
    fits(e.value, g.value, vars, '[^;]*') &&
    names.join() === Object.keys(g.attributes).sort().join() &&
    names.every((name) => attributeFits(name, e.attributes[name]!, g.attributes[name]!, vars))
  )
}

function attributeFits(name: string, expected: string | true, got: string | true, vars: Vars): boolean {
  if (expected === true || got === true) return expected === got
  return name === 'samesite' ? expected.toLowerCase() === got.toLowerCase() : fits(expected, got, vars)
}

/** The cookies of one client. Path, Max-Age and Expires count. */
export class Jar {
  private readonly cookies = new Map<string, { value: string; path: string; until: number }>()

  take(lines: string[]): void {
    for (const { name, value, attributes } of lines.map(parseSetCookie)) {
      const until = endOf(attributes)
      if (until <= Date.now()) this.cookies.delete(name)
      else this.cookies.set(name, { value, path: String(attributes.path ?? '/'), until })
    }
  }

  header(path: string): string | undefined {
    const fitting = [...this.cookies].filter(([, c]) => c.until > Date.now() && below(path, c.path))
    return fitting.length === 0 ? undefined : fitting.map(([name, c]) => `${name}=${c.value}`).join('; ')
  }

  /** @param name may end in `*` */
  get(name: string): string | undefined {
    return [...this.cookies].find(([known]) => nameFits(name, known))?.[1].value
  }
}

export function nameFits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function endOf(attributes: Cookie['attributes']): number {
  if (attributes['max-age'] !== undefined) return Date.now() + Number(attributes['max-age']) * 1000
  return attributes.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(String(attributes.expires))
}

function below(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(prefix.replace(/\/?$/, '/'))
}

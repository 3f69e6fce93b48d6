import { randomBytes } from 'node:crypto'
import { differences, type Expectation } from './compare.ts'
import { type Jar, nameFits, parseSetCookie } from './cookies.ts'
import { type Answer, type RecordedRequest, send } from './request.ts'
import type { Vars } from './template.ts'

export interface Step {
  name?: string
  request: RecordedRequest
  expect?: Expectation
  save?: Record<string, string>
  differ?: [string, string][]
  same?: [string, string][]
  wait_ms?: number
}

export interface Scenario {
  name: string
  why?: string
  config?: string
  tags?: string[]
  steps: Step[]
}

/** Plays a scenario against a server. @throws Error naming the step and every difference */
export async function play(scenario: Scenario, urls: { public: string; admin: string }): Promise<void> {
  const rand = `r${[...randomBytes(11)].map((byte) => 'abcdefghijkmnpqrstuvwxyz23456789'[byte % 32]).join('')}`
  const vars: Vars = { ...urls, public_origin: new URL(urls.public).origin, rand }
  const jars = new Map<string, Jar>()
  for (const [i, step] of scenario.steps.entries()) {
    if (step.wait_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, step.wait_ms))
    const answer = await send(step.request, vars, jars)
    const lines = [
      ...differences(step.expect ?? {}, answer, vars),
      ...save(step, answer, vars),
      ...relations(step, vars),
    ]
    if (lines.length > 0) throw new Error(`step ${i + 1} "${step.name ?? ''}"\n  ${lines.join('\n  ')}`)
  }
}

function save(step: Step, answer: Answer, vars: Vars): string[] {
  return Object.entries(step.save ?? {}).flatMap(([name, path]) => {
    vars[name] = pick(answer, path)
    return vars[name] === undefined ? [`nothing at ${path} to save as ${name}`] : []
  })
}

function relations(step: Step, vars: Vars): string[] {
  const same = (step.same ?? []).filter(([a, b]) => vars[a] !== vars[b]).map((pair) => `${pair} should be equal`)
  const differ = (step.differ ?? []).filter(([a, b]) => vars[a] === vars[b]).map((pair) => `${pair} should differ`)
  return [...same, ...differ]
}

/** Reads `status`, `header.location?id`, `header.link[next]`, `cookie.NAME*` or `body.a[key=value].b` of an answer. */
function pick(answer: Answer, path: string): unknown {
  if (path === 'status') return answer.status
  if (path.startsWith('header.')) return pickHeader(answer, path.slice('header.'.length))
  if (path.startsWith('cookie.')) return pickCookie(answer, path.slice('cookie.'.length))
  const [, body, param] = /^(.*?)(?:\?(\w+))?$/s.exec(path.slice('body'.length))!
  const value = walk(answer.body, body!)
  return param === undefined || typeof value !== 'string' ? value : parameter(value, param)
}

function pickHeader(answer: Answer, rest: string): unknown {
  const relation = /^link\[(\w+)\]$/i.exec(rest)?.[1]
  if (relation !== undefined)
    return new RegExp(`<([^>]*)>;\\s*rel="${relation}"`).exec(String(answer.headers.link ?? ''))?.[1]
  const [name = '', param] = rest.split('?')
  const value = answer.headers[name.toLowerCase()]
  return param === undefined || value === undefined ? value : parameter(String(value), param)
}

function pickCookie(answer: Answer, name: string): string | undefined {
  const set = answer.setCookie.map(parseSetCookie).reverse()
  return set.find((cookie) => nameFits(name, cookie.name))?.value ?? answer.jar?.get(name)
}

function parameter(url: string, name: string): string | undefined {
  return new URL(url, 'http://relative.invalid').searchParams.get(name) ?? undefined
}

function walk(value: unknown, path: string): unknown {
  let at: unknown = value
  for (const [, member, selector] of path.matchAll(/\.([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (at === null || at === undefined) return undefined
    at = selector?.includes('=') ? select(at, selector) : (at as Record<string, unknown>)[member ?? selector!]
  }
  return at
}

function select(list: unknown, selector: string): unknown {
  const eq = selector.indexOf('=')
  const path = `.${selector.slice(0, eq)}`
  return (list as unknown[]).find((item) => String(walk(item, path)) === selector.slice(eq + 1))
}

import { randomBytes } from 'node:crypto'
import { differences, type Expectation } from './compare.ts'
import { type Jar, nameFits, parseSetCookie } from './cookies.ts'
import { type Answer, type RecordedRequest, send } from './request.ts'
import { BEGUN_AT, fillDeep, type Vars } from './template.ts'

export interface Step {
  name?: string
  /** what is sent; a step without it lets an actor do something */
  request?: RecordedRequest
  /** `FILE.FUNCTION` of test/fixtures/wire-actors: a mailbox, a receiver, a provider, an authenticator */
  actor?: string
  args?: Record<string, unknown>
  expect?: Expectation
  save?: Record<string, string>
  differ?: [string, string][]
  same?: [string, string][]
  wait_ms?: number
  /** the step is repeated until it fits or this much time has passed */
  until_ms?: number
}

/** What actors are handed: the saved values, and what one of them leaves for the others or for the end. */
interface Stage {
  jars: Map<string, Jar>
  end: (() => unknown)[]
}

export interface Scenario {
  name: string
  why?: string
  config?: string
  tags?: string[]
  steps: Step[]
}

/**
 * Plays a scenario against a server.
 * @param wait lets time pass for the server, in milliseconds. @throws Error naming the step and every difference
 */
export async function play(
  scenario: Scenario,
  urls: { public: string; admin: string },
  words: Record<string, string> = {},
  wait: (ms: number) => unknown = pause,
): Promise<void> {
  const rand = `r${[...randomBytes(11)].map((byte) => 'abcdefghijkmnpqrstuvwxyz23456789'[byte % 32]).join('')}`
  const own = { public_origin: new URL(urls.public).origin, rand, [BEGUN_AT]: performance.now() }
  const vars: Vars = { ...words, ...urls, ...own }
  const stage: Stage = { jars: new Map(), end: [] }
  try {
    for (const [i, step] of scenario.steps.entries()) {
      if (step.wait_ms !== undefined) await wait(step.wait_ms)
      const lines = await playStep(step, vars, stage)
      if (lines.length > 0) throw new Error(`step ${i + 1} "${step.name ?? ''}"\n  ${lines.join('\n  ')}`)
    }
  } finally {
    for (const end of stage.end.reverse()) await end()
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const PAUSE_MS = 200

async function playStep(step: Step, vars: Vars, stage: Stage): Promise<string[]> {
  const until = performance.now() + (step.until_ms ?? 0) * PATIENCE
  for (;;) {
    const answer = step.request ? await send(step.request, vars, stage.jars) : await act(step, vars, stage)
    const lines = [
      ...differences(step.expect ?? {}, answer, vars),
      ...save(step, answer, vars),
      ...relations(step, vars),
    ]
    if (lines.length === 0 || performance.now() >= until) return lines
    await pause(PAUSE_MS)
  }
}

/** The recorded waiting times are those of an idle machine. */
const PATIENCE = 6

async function act({ actor = '', args = {} }: Step, vars: Vars, state: Stage): Promise<Answer> {
  const [file, name = ''] = actor.split('.')
  const module = await import(new URL(`../fixtures/wire-actors/${file}.mjs`, import.meta.url).href)
  const filled = fillDeep(args, vars) as Record<string, unknown>
  if (typeof filled.wait_ms === 'number' && name === 'receive') filled.wait_ms *= PATIENCE
  const body = await module[name](filled, { vars, state, fill: (value: unknown) => fillDeep(value, vars) })
  return { method: 'ACT', status: 200, headers: {}, setCookie: [], body, jar: undefined }
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
  const [plain, pattern] = path.split(/ ~ \/(.*)\/$/s)
  if (pattern !== undefined) return new RegExp(pattern).exec(String(pick(answer, plain!)))?.[1]
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

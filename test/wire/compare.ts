import { cookieFits, sticking } from './cookies.ts'
import type { Answer } from './request.ts'
import { fill, fits, type Vars } from './template.ts'

export interface Expectation {
  status?: number
  headers?: Record<string, string | string[] | null>
  body?: unknown
}

type Report = (path: string, expected: unknown, got: unknown) => void

/** Everything in which an answer differs from the recorded one, a line each. */
export function differences(expected: Expectation, answer: Answer, vars: Vars): string[] {
  const lines: string[] = []
  const report: Report = (path, want, got) => lines.push(`${path}: expected ${show(want)}, got ${show(got)}`)
  if (expected.status !== undefined && expected.status !== answer.status)
    report('status', expected.status, `${answer.status} ${show(answer.body)}`)
  for (const [name, want] of Object.entries(expected.headers ?? {})) compareHeader(name, want, answer, vars, report)
  if ('body' in expected && answer.method !== 'HEAD') compareValue(expected.body, answer.body, 'body', vars, report)
  return lines
}

const AS_SETS = /^(allow|access-control-(allow|expose)-(methods|headers))$/

function compareHeader(name: string, want: string | string[] | null, answer: Answer, vars: Vars, report: Report): void {
  if (name === 'set-cookie')
    return compareCookies(want === null || want === '<absent>' ? [] : [want].flat(), answer, vars, report)
  const got = answer.headers[name]
  if (want === null || want === '<absent>') {
    if (got !== undefined) report(name, 'no such header', got)
  } else if (got === undefined || !headerFits(name, String(want), String(got), vars)) report(name, want, got)
}

function headerFits(name: string, want: string, got: string, vars: Vars): boolean {
  const set = (text: string) =>
    text
      .split(',')
      .map((word) => word.trim().toLowerCase())
      .sort()
  if (name === 'vary') return set(want).every((word) => set(got).includes(word))
  if (AS_SETS.test(name)) return set(want).join() === set(got).join()
  const norm = (text: string) => (name === 'content-type' ? text.toLowerCase().replace(/\s*;\s*/g, '; ') : text)
  return fits(norm(want), norm(got), vars)
}

function compareCookies(want: string[], answer: Answer, vars: Vars, report: Report): void {
  const left = sticking(answer.setCookie)
  for (const expected of sticking(want)) {
    const at = left.findIndex((got) => cookieFits(expected, got, vars))
    if (at < 0) report('set-cookie', expected, left)
    else left.splice(at, 1)
  }
  if (left.length > 0 && want.length === 0) report('set-cookie', 'none', left)
}

function compareValue(want: unknown, got: unknown, path: string, vars: Vars, report: Report): void {
  if (typeof want === 'string') return compareText(want, got, path, vars, report)
  if (Array.isArray(want)) return compareList(want, got, path, vars, report)
  if (want === null || typeof want !== 'object') {
    if (want !== got) report(path, want, got)
    return
  }
  const rule = want as Record<string, unknown>
  if ('$each' in rule || '$unordered' in rule || '$contains' in rule) return compareRule(rule, got, path, vars, report)
  if (got === null || typeof got !== 'object' || Array.isArray(got)) return report(path, want, got)
  for (const [key, value] of Object.entries(rule)) {
    compareValue(value, (got as Record<string, unknown>)[key], `${path}.${key}`, vars, report)
  }
}

function compareText(want: string, got: unknown, path: string, vars: Vars, report: Report): void {
  if (want === '<absent>') {
    if (got !== undefined) report(path, want, got)
    return
  }
  if (want === '<any>') {
    if (got === undefined) report(path, want, got)
    return
  }
  const alone = /^\{\{\s*[\w.-]+\s*\}\}$/.test(want) ? fill(want, vars) : undefined
  if (alone !== undefined && typeof alone !== 'string') return compareValue(alone, got, path, vars, report)
  const isNumber = /^<(number|~\d+)>$/.test(want)
  const rightType = isNumber ? typeof got === 'number' : typeof got === 'string'
  if (!rightType || !fits(want, String(got), vars)) report(path, want, got)
}

function compareList(want: unknown[], got: unknown, path: string, vars: Vars, report: Report): void {
  if (!Array.isArray(got)) return report(path, want, got)
  if (want.length !== got.length) report(`${path}.length`, want.length, got.length)
  for (let i = 0; i < Math.min(want.length, got.length); i++)
    compareValue(want[i], got[i], `${path}[${i}]`, vars, report)
}

function compareRule(rule: Record<string, unknown>, got: unknown, path: string, vars: Vars, report: Report): void {
  if (!Array.isArray(got)) return report(path, rule, got)
  if ('$each' in rule)
    return got.forEach((item, i) => {
      compareValue(rule.$each, item, `${path}[${i}]`, vars, report)
    })
  const wanted = (rule.$unordered ?? rule.$contains) as unknown[]
  if ('$unordered' in rule && wanted.length !== got.length) report(`${path}.length`, wanted.length, got.length)
  const left = [...got]
  for (const want of wanted) {
    const at = left.findIndex((item) => equal(want, item, vars))
    if (at < 0) report(path, want, `none of ${show(left)}`)
    else left.splice(at, 1)
  }
}

function equal(want: unknown, got: unknown, vars: Vars): boolean {
  let same = true
  compareValue(want, got, '', vars, () => {
    same = false
  })
  return same
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}

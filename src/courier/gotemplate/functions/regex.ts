import { RE2JS, RE2JSException } from 're2js'
import { FunctionError, OutOfBudget } from '../errors.ts'
import { type Int, List, type Value } from '../values.ts'
import { type Func, func, type Runtime } from './signature.ts'

/** A counted repetition is as long as its count once it is read: a thousand characters may take half a second. */
const MAX_PATTERN = 500

/** Instructions of an expression times characters: one search takes half a second at most. */
const MAX_WORK = 8_000_000

interface Match {
  start: number
  end: number
  group(name: string | number): string
}

type Strings = readonly [string, string, string]

const matches = (fails: boolean) =>
  func('string, string', ([pattern, text]: Strings, runtime) => {
    try {
      return !all(compile(pattern, runtime), text, 1, runtime).next().done
    } catch (error) {
      if (fails || !(error instanceof FunctionError)) throw error
      return false
    }
  })
const find = func('string, string', ([pattern, text]: Strings, runtime) => {
  const { value } = all(compile(pattern, runtime), text, 1, runtime).next()
  return value ? text.slice(value.start, value.end) : ''
})
const findAll = func('string, string, int', ([pattern, text, count]: readonly [string, string, Int], runtime) => {
  const found = [...all(compile(pattern, runtime), text, limit(count), runtime)].map(({ start, end }) =>
    text.slice(start, end),
  )
  return new List(found, 'string', found.length === 0)
})
const replaceAll = func('string, string, string', ([pattern, text, by]: Strings, runtime) =>
  replaced(pattern, text, runtime, (match) => expand(by, match)),
)
const replaceAllLiteral = func('string, string, string', ([pattern, text, by]: Strings, runtime) =>
  replaced(pattern, text, runtime, () => by),
)
const split = func(
  'string, string, int',
  ([pattern, text, count]: readonly [string, string, Int], runtime) =>
    new List(parts(pattern, text, limit(count), runtime), 'string'),
)

/** Expressions of RE2, in time linear in the text. @see https://masterminds.github.io/sprig/strings.html */
export const REGEX: Record<string, Func> = {
  regexMatch: matches(false),
  mustRegexMatch: matches(true),
  regexFind: find,
  mustRegexFind: find,
  regexFindAll: findAll,
  mustRegexFindAll: findAll,
  regexReplaceAll: replaceAll,
  mustRegexReplaceAll: replaceAll,
  regexReplaceAllLiteral: replaceAllLiteral,
  mustRegexReplaceAllLiteral: replaceAllLiteral,
  regexSplit: split,
  mustRegexSplit: split,
  regexQuoteMeta: func('string', ([text]: readonly [string]) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
}

/** @throws FunctionError */
function compile(pattern: string, { patterns, budget, cpu }: Runtime): RE2JS {
  const known = patterns.get(pattern)
  if (known) return known
  if (pattern.length > MAX_PATTERN) throw new FunctionError(`an expression longer than ${MAX_PATTERN} characters`)
  const started = cpu()
  try {
    const compiled = RE2JS.compile(pattern)
    patterns.set(pattern, compiled)
    return compiled
  } catch (error) {
    if (error instanceof RE2JSException) throw new FunctionError(error.message)
    throw error
  } finally {
    budget.search(cpu() - started)
  }
}

function limit({ n }: Int): number {
  return n < 0n ? Number.POSITIVE_INFINITY : Number(n)
}

/** Matches from left to right; an empty one directly after another is none. */
function* all(pattern: RE2JS, text: string, count: number, { budget, cpu }: Runtime): Generator<Match> {
  const matcher = pattern.matcher(text)
  if (pattern.programSize() * text.length > MAX_WORK) throw new OutOfBudget('a long expression and a long text')
  let [at, last, given] = [0, -1, 0]
  while (given < count && at <= text.length) {
    budget.step()
    const started = cpu()
    const found = matcher.find(at)
    budget.search(cpu() - started)
    if (!found) return
    const [start, end] = [matcher.start(), matcher.end()]
    const accepted = end !== at || start !== last
    at = end === at ? at + width(text, at) : end
    last = end
    if (!accepted) continue
    given++
    yield { start, end, group: (name) => groupOf(matcher, name) }
  }
}

function width(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

function groupOf(matcher: ReturnType<RE2JS['matcher']>, name: string | number): string {
  if (typeof name === 'number') return name <= matcher.groupCount() ? (matcher.group(name) ?? '') : ''
  try {
    return matcher.group(name) ?? ''
  } catch (error) {
    if (error instanceof RE2JSException) return ''
    throw error
  }
}

function replaced(pattern: string, text: string, runtime: Runtime, by: (match: Match) => string): string {
  const out: string[] = []
  let at = 0
  for (const match of all(compile(pattern, runtime), text, Number.POSITIVE_INFINITY, runtime)) {
    const piece = text.slice(at, match.start) + by(match)
    runtime.budget.text(piece.length)
    out.push(piece)
    at = match.end
  }
  return out.join('') + text.slice(at)
}

/** `$1`, `$name`, `${name}`; a name is as long as it can be, so `$1x` is the group `1x`. */
function expand(template: string, match: Match): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole, braced?: string, bare?: string) => {
      const name = braced ?? bare
      if (name === undefined) return '$'
      return match.group(/^[0-9]{1,5}$/.test(name) ? Number(name) : name) ?? whole
    },
  )
}

function parts(pattern: string, text: string, count: number, runtime: Runtime): Value[] {
  if (count === 0) return []
  if (pattern.length > 0 && text.length === 0) return ['']
  const out: string[] = []
  let [start, end] = [0, 0]
  for (const match of all(compile(pattern, runtime), text, count, runtime)) {
    if (out.length === count - 1) break
    end = match.start
    if (match.end !== 0) out.push(text.slice(start, end))
    start = match.end
  }
  if (end !== text.length) out.push(text.slice(start))
  return out
}

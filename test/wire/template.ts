/** Words of the recorded scenarios: `{{name}}` stands for a saved value, `<uuid>` and the like for a kind of text. */
export type Vars = Record<string, unknown>

const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d)'
const KINDS: Record<string, string> = {
  uuid: '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}',
  time: TIME,
  number: '-?\\d+(?:\\.\\d+)?',
  b64: '[A-Za-z0-9+/_=-]+',
  hex: '[0-9a-f]+',
  st: 'ory_st_[A-Za-z0-9]{32}',
  lo: 'ory_lo_[A-Za-z0-9]{32}',
  csrf: '[A-Za-z0-9+/]{86}==',
  date: '[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT',
}
const NEAR_NUMBER = 10
const NEAR_SECONDS = 20

/** The saved value that says when a scenario began: what counts down may have done so for as long. */
export const BEGUN_AT = 'begun at'

const VARIABLE = /\{\{\s*([\w.-]+)\s*(?:\|\s*(url|x\d+)\s*)?\}\}/g
const KIND = /<(any|~\d+|time[+-]\d+|[a-z0-9]+)>/g

/** Puts saved values in. A text that is one variable and nothing else becomes the value itself, whatever its type. */
export function fill(text: string, vars: Vars): unknown {
  const alone = /^\{\{\s*([\w.-]+)\s*\}\}$/.exec(text)
  if (alone) return known(alone[1]!, vars)
  return text.replace(VARIABLE, (_, name: string, filter?: string) => {
    const value = String(known(name, vars))
    if (filter === undefined) return value
    return filter === 'url' ? encodeURIComponent(value) : value.repeat(Number(filter.slice(1)))
  })
}

function known(name: string, vars: Vars): unknown {
  if (!(name in vars)) throw new Error(`the scenario uses {{${name}}} before it is saved`)
  return vars[name]
}

export function fillDeep(value: unknown, vars: Vars): unknown {
  if (typeof value === 'string') return fill(value, vars)
  if (Array.isArray(value)) return value.map((item) => fillDeep(item, vars))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [String(fill(k, vars)), fillDeep(v, vars)]))
}

/** Whether `got` is a text of the recorded form. */
export function fits(template: string, got: string, vars: Vars, any = '[\\s\\S]*'): boolean {
  const checks: ((text: string) => boolean)[] = []
  let source = ''
  let at = 0
  for (const match of template.matchAll(KIND)) {
    const word = match[1]!
    if (word !== 'any' && !/^(~|time[+-])/.test(word) && !(word in KINDS)) continue
    source += literal(template.slice(at, match.index), vars)
    at = match.index + match[0].length
    source += patternOf(word, any, checks, vars)
  }
  const result = new RegExp(`^${source}${literal(template.slice(at), vars)}$`).exec(got)
  return result !== null && checks.every((check, i) => check(result[i + 1]!))
}

function patternOf(word: string, any: string, checks: ((text: string) => boolean)[], vars: Vars): string {
  if (word === 'any') return any
  if (word.startsWith('~')) {
    checks.push((text) => isNear(Number(text) - Number(word.slice(1)), NEAR_NUMBER, vars))
    return '(\\d+)'
  }
  if (/^time[+-]/.test(word)) {
    checks.push((text) => isNear((Date.parse(text) - Date.now()) / 1000 - Number(word.slice(4)), NEAR_SECONDS, vars))
    return `(${TIME})`
  }
  return `(?:${KINDS[word]})`
}

/** Seconds until an end are fewer by the time that the scenario has taken, which on a slow machine is no small one. */
function isNear(difference: number, near: number, vars: Vars): boolean {
  const passed = (performance.now() - Number(vars[BEGUN_AT])) / 1000
  return difference <= near && difference >= -(near + passed)
}

function literal(text: string, vars: Vars): string {
  return String(fill(text, vars)).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

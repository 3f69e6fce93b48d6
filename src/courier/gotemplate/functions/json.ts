import type { Budget } from '../budget.ts'
import { fromJson } from '../data.ts'
import { FunctionError } from '../errors.ts'
import { jsonFloat } from '../print/float.ts'
import { Dict, Int, List, Struct, sortedKeys, type Value } from '../values.ts'
import { type Func, func, type Runtime } from './signature.ts'

const writes = (options: { indent?: string; raw?: boolean }, fails: boolean) =>
  func('any', ([value], { budget }) => {
    try {
      return toJson(value, budget, options)
    } catch (error) {
      if (fails || !(error instanceof FunctionError)) throw error
      return ''
    }
  })

export const JSON_FUNCTIONS: Record<string, Func> = {
  toJson: writes({}, false),
  mustToJson: writes({}, true),
  toPrettyJson: writes({ indent: '  ' }, false),
  mustToPrettyJson: writes({ indent: '  ' }, true),
  toRawJson: writes({ raw: true }, true),
  mustToRawJson: writes({ raw: true }, true),
  fromJson: func('string', ([text]: readonly [string], runtime) => parse(text, runtime) ?? null),
  mustFromJson: func('string', ([text]: readonly [string], runtime) => {
    const value = parse(text, runtime)
    if (value === undefined) throw new FunctionError('not JSON')
    return value
  }),
}

function parse(text: string, { budget }: Runtime): Value {
  budget.text(text.length)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return fromJson(value, budget)
}

/** As Go's encoding/json writes it: keys in order, and `<`, `>`, `&` escaped unless raw. */
export function toJson(value: Value, budget: Budget, { indent = '', raw = false } = {}): string {
  const text = written(value, '')
  budget.text(text.length)
  return text

  function written(item: Value, margin: string): string {
    budget.step()
    if (item === null || item === undefined) return 'null'
    if (typeof item === 'string') return jsonText(item, raw)
    if (typeof item === 'boolean') return String(item)
    if (typeof item === 'number') {
      if (!Number.isFinite(item)) throw new FunctionError(`${item} is no JSON number`)
      return jsonFloat(item)
    }
    if (item instanceof Int) return String(item.n)
    const inner = indent ? `${margin}${indent}` : ''
    if (item instanceof List)
      return item.isNil
        ? 'null'
        : group(
            '[',
            item.items.map((one) => nested(one, inner)),
            ']',
            margin,
          )
    if (!(item instanceof Dict) && !(item instanceof Struct)) return jsonText(item.json(), raw)
    if (item instanceof Dict && item.isNil) return 'null'
    const pairs = membersOf(item).map(([key, one]) => `${jsonText(key, raw)}:${indent && ' '}${nested(one, inner)}`)
    return group('{', pairs, '}', margin)
  }

  function nested(item: Value, margin: string): string {
    return budget.nested(() => written(item, margin))
  }

  function group(open: string, parts: readonly string[], close: string, margin: string): string {
    if (!indent || parts.length === 0) return open + parts.join(',') + close
    budget.text(parts.length * (margin.length + indent.length))
    return `${open}\n${parts.map((part) => margin + indent + part).join(',\n')}\n${margin}${close}`
  }
}

function membersOf(value: Dict | Struct): [string, Value][] {
  if (value instanceof Dict) return sortedKeys(value).map((key) => [key, value.entries.get(key)])
  return [...value.jsonNames].map(([field, name]) => [name, value.fields.get(field)])
}

function jsonText(text: string, raw: boolean): string {
  const escaped = JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
  return raw ? escaped : escaped.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
}

import type { Budget } from '../budget.ts'
import { Dict, Int, List, Struct, sortedKeys, Thing, typeOf, type Value } from '../values.ts'
import { type Flags, NO_FLAGS, pad } from './flags.ts'
import { formatFloat } from './float.ts'
import { formatInteger } from './integer.ts'
import { quote } from './quote.ts'

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** What `{{ value }}` writes. */
export function printed(value: Value, budget: Budget): string {
  if (value === undefined) return '<no value>'
  if (value instanceof Struct) return format(value, 'v', NO_FLAGS, budget).slice(1)
  return format(value, 'v', NO_FLAGS, budget)
}

/** The values one after the other, with a blank between two that are no texts. */
export function sprint(values: readonly Value[], budget: Budget): string {
  let out = ''
  for (const [i, value] of values.entries()) {
    const blank = i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string'
    out += (blank ? ' ' : '') + format(value, 'v', NO_FLAGS, budget)
  }
  budget.text(out.length)
  return out
}

/** The name of a month or a day of the week. */
export function nameOf(value: Int): string | undefined {
  if (value.type === 'time.Month') return MONTHS[Number(value.n) - 1]
  return value.type === 'time.Weekday' ? WEEKDAYS[Number(value.n)] : undefined
}

/** One value by one verb. @param inner whether it stands in a list or map */
export function format(value: Value, verb: string, flags: Flags, budget: Budget, inner = false): string {
  budget.step()
  if (verb === 'T') return formatText(typeOf(value), 's', flags)!
  if (value === undefined || value === null) {
    if (inner) return '<nil>'
    return verb === 'v' ? pad('<nil>', flags) : `%!${verb}(<nil>)`
  }
  if (verb === 'v' && flags.sharp) return goSyntax(value, flags, budget)
  const scalar = formatScalar(value, verb, flags)
  if (scalar !== undefined) {
    budget.text(scalar.length)
    return scalar
  }
  if (value instanceof List) return budget.nested(() => `[${joined(value.items, verb, flags, budget)}]`)
  if (value instanceof Struct)
    return budget.nested(() => `&{${joined([...value.fields.values()], verb, flags, budget)}}`)
  if (value instanceof Dict)
    return budget.nested(() => {
      const pairs = sortedKeys(value).map(
        (key) =>
          `${format(key, verb, flags, budget, true)}:${format(value.entries.get(key), verb, flags, budget, true)}`,
      )
      return `map[${pairs.join(' ')}]`
    })
  return `%!${verb}(${typeOf(value)}=${format(value, 'v', NO_FLAGS, budget)})`
}

function joined(items: readonly Value[], verb: string, flags: Flags, budget: Budget): string {
  return items.map((item) => format(item, verb, flags, budget, true)).join(' ')
}

/** @returns undefined where the verb does not suit the type */
function formatScalar(value: Value, verb: string, flags: Flags): string | undefined {
  if (typeof value === 'string') return formatText(value, verb, flags)
  if (typeof value === 'boolean') return verb === 't' || verb === 'v' ? pad(String(value), flags) : undefined
  if (typeof value === 'number') return formatNumber(value, verb, flags)
  if (value instanceof Thing) return formatText(value.text(), verb, flags)
  if (!(value instanceof Int)) return undefined
  const name = nameOf(value)
  return name !== undefined && 'vsqxX'.includes(verb)
    ? formatText(name, verb, flags)
    : formatInteger(value.n, verb, flags)
}

function formatText(text: string, verb: string, flags: Flags): string | undefined {
  const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('')
  switch (verb) {
    case 'v':
    case 's':
      return pad(cut, flags)
    case 'q':
      return pad(flags.sharp && canBackquote(cut) ? `\`${cut}\`` : quote(cut, flags.plus), flags)
    case 'x':
    case 'X':
      return pad(hexadecimal(Buffer.from(text).subarray(0, flags.precision), verb, flags), flags)
  }
  return undefined
}

function canBackquote(text: string): boolean {
  return !/[\p{Cc}`\ufeff]/u.test(text.replaceAll('\t', ''))
}

function hexadecimal(bytes: Buffer, verb: string, { sharp, space }: Flags): string {
  if (bytes.length === 0) return ''
  const prefix = sharp ? '0x' : ''
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'))
  const text = space ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('')
  return verb === 'X' ? text.toUpperCase() : text
}

function formatNumber(value: number, verb: string, flags: Flags): string | undefined {
  const letter = verb === 'v' ? 'g' : verb
  if (!'eEfFgG'.includes(letter)) return undefined
  const precision = flags.precision ?? ('gG'.includes(letter) ? -1 : 6)
  let text = formatFloat(value, letter, precision)
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  text = text.slice(sign.length)
  const shown = sign === '-' ? '-' : flags.plus ? '+' : flags.space ? ' ' : sign && flags.plus ? '+' : ''
  const written = text === 'Inf' && shown === '' ? '+' : shown
  if (!flags.zero || flags.minus || !Number.isFinite(value)) return pad(written + text, { ...flags, zero: false })
  return written + text.padStart((flags.width ?? 0) - written.length, '0')
}

/** `%#v`: as it would stand in a program. */
function goSyntax(value: Value, flags: Flags, budget: Budget): string {
  const inner = (item: Value) =>
    item === undefined || item === null ? 'interface {}(nil)' : budget.nested(() => goSyntax(item, flags, budget))
  if (typeof value === 'string') return pad(quote(value), flags)
  if (typeof value === 'number') return pad(formatFloat(value, 'g', -1), flags)
  if (value instanceof Int)
    return pad(value.type.startsWith('uint') ? `0x${value.n.toString(16)}` : String(value.n), flags)
  if (value instanceof List)
    return value.isNil ? `${typeOf(value)}(nil)` : `${typeOf(value)}{${value.items.map(inner).join(', ')}}`
  if (value instanceof Struct)
    return `&${value.type.slice(1)}{${[...value.fields].map(([name, field]) => `${name}:${inner(field)}`).join(', ')}}`
  if (!(value instanceof Dict)) return pad(value instanceof Thing ? value.text() : String(value), flags)
  const pairs = sortedKeys(value).map((key) => `${quote(key)}:${inner(value.entries.get(key))}`)
  return value.isNil ? `${typeOf(value)}(nil)` : `${typeOf(value)}{${pairs.join(', ')}}`
}

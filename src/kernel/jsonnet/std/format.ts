import type { Place } from '../errors.ts'
import type { Machine } from '../machine.ts'
import { toText } from '../manifest.ts'
import { getField, hasField } from '../objects.ts'
import { textLength } from '../text.ts'
import { force, JsonnetArray, JsonnetObject, typeOf, type Value } from '../values.ts'
import { type Code, parseFormat } from './format-codes.ts'
import { renderCode } from './format-numbers.ts'

/** `a % b`: the remainder of numbers, or a text with its codes filled in. */
export function modulo(machine: Machine, left: Value, right: Value, place?: Place): Value {
  if (typeof left === 'number' && typeof right === 'number') {
    if (right === 0) throw machine.fail('Division by zero.', place)
    return left % right
  }
  if (typeof left === 'string') return format(machine, left, right, place)
  throw machine.fail(`Operator % cannot be used on types ${typeOf(left)} and ${typeOf(right)}.`, place)
}

/** The codes of Python's `%` operator, of an array of values, an object (`%(name)s`), or one value. */
export function format(machine: Machine, text: string, values: Value, place?: Place): string {
  const parts = parseFormat(machine, text, place)
  const out: string[] = []
  let length = 0
  const next = values instanceof JsonnetObject ? byName(machine, values, place) : inOrder(machine, values, place)
  for (const part of parts) {
    const shown = typeof part === 'string' ? part : fill(machine, part, next.value, place)
    length += shown.length
    machine.spendText(length > machine.limits.size ? length : shown.length)
    out.push(shown)
  }
  next.end()
  return out.join('')
}

interface Source {
  /** the value of a code, or of a width that is `*` */
  value: (code: Code | '*') => { value: Value; at: string }
  end: () => void
}

function inOrder(machine: Machine, values: Value, place?: Place): Source {
  const items = values instanceof JsonnetArray ? values.items : [values]
  let at = 0
  return {
    value: (code) => {
      if (at >= items.length) {
        const expected = code === '*' ? `at least ${at}` : `more than ${at}`
        throw machine.fail(`Not enough values to format: ${items.length}, expected ${expected}`, place)
      }
      at += 1
      return { value: force(items[at - 1]!), at: String(at - 1) }
    },
    end: () => {
      if (at < items.length) throw machine.fail(`Too many values to format: ${items.length}, expected ${at}`, place)
    },
  }
}

function byName(machine: Machine, object: JsonnetObject, place?: Place): Source {
  return {
    value: (code) => {
      if (code === '*') throw machine.fail('Cannot use * field width with object.', place)
      if (code.key === undefined) throw machine.fail('Mapping keys required.', place)
      if (!hasField(object, code.key)) throw machine.fail(`No such field: ${code.key}`, place)
      return { value: getField(machine, object, code.key, place), at: code.key }
    },
    end: () => {},
  }
}

function fill(machine: Machine, code: Code, next: Source['value'], place?: Place): string {
  const width = measure(machine, code.width, next, place) ?? 0
  const precision = measure(machine, code.precision, next, place)
  let shown = '%'
  if (code.type !== '%') {
    const { value, at } = next(code)
    if (code.type === 's') shown = toText(machine, value)
    else if (code.type === 'c') shown = character(machine, value, place)
    else if (typeof value === 'number') shown = renderCode(machine, value, code, width, precision)
    else throw machine.fail(`Format required number at ${at}, got ${typeOf(value)}`, place)
  }
  const missing = width - textLength(machine, shown)
  if (missing <= 0) return shown
  machine.spendText(width)
  return code.left ? shown + ' '.repeat(missing) : ' '.repeat(missing) + shown
}

function measure(machine: Machine, given: number | '*' | undefined, next: Source['value'], place?: Place) {
  if (given !== '*') return given
  const { value } = next('*')
  if (typeof value !== 'number') throw machine.fail(`Format required number, got ${typeOf(value)}`, place)
  machine.spendText(Math.max(0, value))
  return value
}

function character(machine: Machine, value: Value, place?: Place): string {
  if (typeof value === 'number') {
    if (!(value >= 0 && value <= 0x10ffff)) throw machine.fail(`Invalid unicode codepoint, got ${value}`, place)
    return String.fromCodePoint(Math.trunc(value)).toWellFormed()
  }
  if (typeof value !== 'string') throw machine.fail(`%c expected number / string, got: ${typeOf(value)}`, place)
  const length = textLength(machine, value)
  if (length !== 1) throw machine.fail(`%c expected 1-sized string got: ${length}`, place)
  return value
}

import type { Location } from '../errors.ts'
import type { Machine } from '../machine.ts'
import { toText } from '../manifest.ts'
import { getField, hasField } from '../objects.ts'
import { textLength } from '../text.ts'
import { force, JsonnetArray, JsonnetObject, typeOf, type Value } from '../values.ts'
import { type Code, parseFormat } from './format-codes.ts'
import { renderCode } from './format-numbers.ts'

/** `a % b`: the remainder of numbers, or a text with its codes filled in. */
export function modulo(machine: Machine, left: Value, right: Value, location?: Location): Value {
  if (typeof left === 'number' && typeof right === 'number') {
    if (right === 0) throw machine.fail('Division by zero.', location)
    return left % right
  }
  if (typeof left === 'string') return format(machine, left, right, location)
  throw machine.fail(`Operator % cannot be used on types ${typeOf(left)} and ${typeOf(right)}.`, location)
}

/** The codes of Python's `%` operator, of an array of values, an object (`%(name)s`), or one value. */
export function format(machine: Machine, text: string, values: Value, location?: Location): string {
  const parts = parseFormat(machine, text, location)
  const out: string[] = []
  let length = 0
  const next = values instanceof JsonnetObject ? byName(machine, values, location) : inOrder(machine, values, location)
  for (const part of parts) {
    const shown = typeof part === 'string' ? part : fill(machine, part, next.value, location)
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

function inOrder(machine: Machine, values: Value, location?: Location): Source {
  const items = values instanceof JsonnetArray ? values.items : [values]
  let at = 0
  return {
    value: (code) => {
      if (at >= items.length) {
        const expected = code === '*' ? `at least ${at}` : `more than ${at}`
        throw machine.fail(`Not enough values to format: ${items.length}, expected ${expected}`, location)
      }
      at += 1
      return { value: force(items[at - 1]!), at: String(at - 1) }
    },
    end: () => {
      if (at < items.length) throw machine.fail(`Too many values to format: ${items.length}, expected ${at}`, location)
    },
  }
}

function byName(machine: Machine, object: JsonnetObject, location?: Location): Source {
  return {
    value: (code) => {
      if (code === '*') throw machine.fail('Cannot use * field width with object.', location)
      if (code.key === undefined) throw machine.fail('Mapping keys required.', location)
      if (!hasField(object, code.key)) throw machine.fail(`No such field: ${code.key}`, location)
      return { value: getField(machine, object, code.key, location), at: code.key }
    },
    end: () => {},
  }
}

function fill(machine: Machine, code: Code, next: Source['value'], location?: Location): string {
  const width = measure(machine, code.width, next, location) ?? 0
  const precision = measure(machine, code.precision, next, location)
  let shown = '%'
  if (code.type !== '%') {
    const { value, at } = next(code)
    if (code.type === 's') shown = toText(machine, value)
    else if (code.type === 'c') shown = character(machine, value, location)
    else if (typeof value === 'number') shown = renderCode(machine, value, code, width, precision)
    else throw machine.fail(`Format required number at ${at}, got ${typeOf(value)}`, location)
  }
  const missing = width - textLength(machine, shown)
  if (missing <= 0) return shown
  machine.spendText(width)
  return code.left ? shown + ' '.repeat(missing) : ' '.repeat(missing) + shown
}

function measure(machine: Machine, given: number | '*' | undefined, next: Source['value'], location?: Location) {
  if (given !== '*') return given
  const { value } = next('*')
  if (typeof value !== 'number') throw machine.fail(`Format required number, got ${typeOf(value)}`, location)
  machine.spendText(Math.max(0, value))
  return value
}

function character(machine: Machine, value: Value, location?: Location): string {
  if (typeof value === 'number') {
    if (!(value >= 0 && value <= 0x10ffff)) throw machine.fail(`Invalid unicode codepoint, got ${value}`, location)
    return String.fromCodePoint(Math.trunc(value)).toWellFormed()
  }
  if (typeof value !== 'string') throw machine.fail(`%c expected number / string, got: ${typeOf(value)}`, location)
  const length = textLength(machine, value)
  if (length !== 1) throw machine.fail(`%c expected 1-sized string got: ${length}`, location)
  return value
}

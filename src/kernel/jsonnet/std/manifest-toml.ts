import type { Machine } from '../machine.ts'
import { showNumber } from '../numbers.ts'
import { fieldNames, getField } from '../objects.ts'
import { quote } from '../text.ts'
import { force, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from '../values.ts'
import { asText, type Library, strict } from './kit.ts'

const key = (name: string) => (name === '' ? "''" : /^[A-Za-z0-9_-]+$/.test(name) ? name : quote(name))

/** What becomes a table of its own: an object, or an array of nothing but objects. */
function isTable(machine: Machine, value: Value): value is JsonnetObject | JsonnetArray {
  if (value instanceof JsonnetObject) return true
  if (!(value instanceof JsonnetArray) || value.items.length === 0) return false
  machine.spend(value.items.length)
  return value.items.every((item) => force(item) instanceof JsonnetObject)
}

/** @param inline on one line, as everything inside a value is */
function render(machine: Machine, value: Value, step: string, path: readonly string[], inline: boolean): string {
  machine.spend(1)
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return showNumber(value)
  if (typeof value === 'boolean') return String(value)
  if (value === null || value instanceof JsonnetFunction)
    throw machine.fail(`Tried to manifest ${value === null ? '"null"' : 'function'} at [${path.join(' ')}]`)
  machine.enter(5)
  const text =
    value instanceof JsonnetArray
      ? renderArray(machine, value, step, path, inline)
      : `{ ${fieldNames(machine, value)
          .map(
            (name) => `${key(name)} = ${render(machine, getField(machine, value, name), step, [...path, name], true)}`,
          )
          .join(', ')} }`
  machine.leave(5)
  machine.spendText(text.length)
  return text
}

function renderArray(
  machine: Machine,
  { items }: JsonnetArray,
  step: string,
  path: readonly string[],
  inline: boolean,
) {
  if (items.length === 0) return '[]'
  const [separator, indent] = inline ? [' ', ''] : ['\n', step]
  const entries = items.map((item, index) => {
    return indent + render(machine, force(item), step, [...path, String(index)], true)
  })
  return `[${separator}${entries.join(`,${separator}`)}${separator}]`
}

function table(machine: Machine, object: JsonnetObject, step: string, path: readonly string[], indent: string): string {
  const lines: string[] = []
  const sections = ['']
  machine.enter(5)
  for (const name of fieldNames(machine, object)) {
    const value = getField(machine, object, name)
    const inner = [...path, name]
    if (!isTable(machine, value)) {
      lines.push(...`${key(name)} = ${render(machine, value, step, inner, false)}`.split('\n'))
      continue
    }
    const tables = value instanceof JsonnetArray ? value.items.map((item) => force(item) as JsonnetObject) : [value]
    const [open, close] = value instanceof JsonnetArray ? ['[[', ']]'] : ['[', ']']
    const title = indent + open + inner.map(key).join('.') + close
    for (const entry of tables) {
      const gap = fieldNames(machine, entry).length > 0 ? '\n' : ''
      sections.push(title + gap + table(machine, entry, step, inner, indent + step))
    }
  }
  machine.leave(5)
  const text = (lines.length > 0 ? indent : '') + lines.join(`\n${indent}`) + sections.join('\n\n')
  machine.spendText(text.length)
  return text
}

function manifest(machine: Machine, value: Value, step: string): string {
  if (!(value instanceof JsonnetObject)) throw machine.fail(`TOML body must be an object. Got ${typeOf(value)}`)
  return table(machine, value, step, [], '')
}

export const toml: Library = {
  manifestToml: strict(['value'], (machine, value) => manifest(machine, value, '  ')),
  manifestTomlEx: strict(['value', 'indent'], (machine, value, step) =>
    manifest(machine, value, asText(machine, step)),
  ),
}

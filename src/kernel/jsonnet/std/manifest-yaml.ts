import type { Machine } from '../machine.ts'
import { showPlain } from '../numbers.ts'
import { fieldNames, getField } from '../objects.ts'
import { quote } from '../text.ts'
import { force, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from '../values.ts'
import { asBoolean, type Library, strict } from './kit.ts'
import { Output } from './output.ts'

interface Style {
  indentArrays: boolean
  quoteKeys: boolean
}

const STEP = '  '
const RESERVED = /^(?:true|false|yes|no|on|off|y|n|\.nan|-\.inf|\+\.inf|\.inf|null|-|---|'')$/i
const DATE = /^[0-9]*-[0-9]*-[0-9]*$/
const BINARY = /^[-+]?0b[01_]+$/
const HEX = /0x[0-9a-fA-F_]/
const NUMBER = /^[-+]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/
const WORDS = /^[-+]?(?:inf|infinity|nan)$/i

/** Whether a key means itself without quotes. */
function plain(key: string): boolean {
  if (key === '' || !/^[A-Za-z0-9_\-/.]*$/.test(key)) return false
  return ![RESERVED, DATE, BINARY, HEX, NUMBER, WORDS].some((pattern) => pattern.test(key))
}

const filled = (machine: Machine, value: Value) =>
  (value instanceof JsonnetArray && value.items.length > 0) ||
  (value instanceof JsonnetObject && fieldNames(machine, value).length > 0)

function write(machine: Machine, value: Value, style: Style, indent: string, out: Output): void {
  machine.spend(1)
  if (value instanceof JsonnetFunction) return
  if (value === null || typeof value === 'boolean') return out.put(String(value))
  if (typeof value === 'number') return out.put(showPlain(value))
  if (typeof value === 'string') return writeText(value, indent, out)
  machine.enter(3)
  if (value instanceof JsonnetArray) writeArray(machine, value, style, indent, out)
  else writeObject(machine, value, style, indent, out)
  machine.leave(3)
}

function writeText(value: string, indent: string, out: Output): void {
  if (!value.endsWith('\n')) return out.put(value === '' ? '""' : quote(value))
  out.put('|')
  for (const line of value.slice(0, -1).split('\n')) out.put(`\n${indent}${STEP}`, line)
}

function writeArray(machine: Machine, array: JsonnetArray, style: Style, indent: string, out: Output): void {
  if (array.items.length === 0) return out.put('[]')
  array.items.forEach((item, index) => {
    const value = force(item)
    if (index > 0) out.put(`\n${indent}`)
    out.put(value instanceof JsonnetArray && value.items.length > 0 ? `-\n${indent}${STEP}` : '- ')
    const nested = value instanceof JsonnetArray || value instanceof JsonnetObject
    write(machine, value, style, nested ? indent + STEP : indent, out)
  })
}

function writeObject(machine: Machine, object: JsonnetObject, style: Style, indent: string, out: Output): void {
  const names = fieldNames(machine, object)
  if (names.length === 0) return out.put('{}')
  names.forEach((name, index) => {
    const value = getField(machine, object, name)
    if (index > 0) out.put(`\n${indent}`)
    out.put(style.quoteKeys || !plain(name) ? quote(name) : name, ':')
    const below = filled(machine, value)
    const inner = below && (value instanceof JsonnetObject || style.indentArrays) ? indent + STEP : indent
    out.put(below ? `\n${inner}` : ' ')
    write(machine, value, style, inner, out)
  })
}

function document(machine: Machine, value: Value, style: Style): string {
  const out = new Output(machine)
  write(machine, value, style, '', out)
  return out.toString()
}

function styleOf(machine: Machine, indentArrays: Value, quoteKeys: Value): Style {
  return { indentArrays: asBoolean(machine, indentArrays), quoteKeys: asBoolean(machine, quoteKeys) }
}

export const yaml: Library = {
  manifestYamlDoc: strict(
    ['value', ['indent_array_in_object', false], ['quote_keys', true]],
    (machine, value, indentArrays, quoteKeys) => document(machine, value, styleOf(machine, indentArrays, quoteKeys)),
  ),
  manifestYamlStream: strict(
    ['value', ['indent_array_in_object', false], ['c_document_end', true], ['quote_keys', true]],
    (machine, value, indentArrays, end, quoteKeys) => {
      if (!(value instanceof JsonnetArray))
        throw machine.fail(`manifestYamlStream only takes arrays, got ${typeOf(value)}`)
      const style = styleOf(machine, indentArrays, quoteKeys)
      const out = new Output(machine)
      out.put('---\n')
      value.items.forEach((item, index) => {
        out.put(index > 0 ? '\n---\n' : '', document(machine, force(item), style))
      })
      out.put(asBoolean(machine, end) ? '\n...\n' : '\n')
      return out.toString()
    },
  ),
}

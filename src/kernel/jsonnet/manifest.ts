import type { Machine } from './machine.ts'
import { showNumber } from './numbers.ts'
import { checkAsserts, fieldNames, getField } from './objects.ts'
import { quote } from './text.ts'
import { force, JsonnetArray, JsonnetFunction, type JsonnetObject, type Value } from './values.ts'

/** How JSON is laid out. */
export interface Layout {
  /** of one level; undefined puts all on one line */
  indent: string | undefined
  newline: string
  /** between entries that stand on one line */
  comma: string
  colon: string
  emptyArray: string
  emptyObject: string
}

const BARE = { newline: '', comma: ', ', colon: ': ', emptyArray: '[ ]', emptyObject: '{ }' }
/** What a text becomes of a value that is added to it. */
const ONE_LINE: Layout = { ...BARE, indent: undefined }
/** What an evaluation ends with. */
export const DOCUMENT: Layout = { ...BARE, indent: '   ', newline: '\n', comma: ',' }

/** @throws JsonnetError where the value holds a function */
export function manifestJson(machine: Machine, value: Value, layout: Layout): string {
  const out: string[] = []
  let size = 0
  const put = (text: string) => {
    size += text.length
    machine.spendText(size > machine.limits.size ? size : text.length)
    out.push(text)
  }
  write(machine, value, layout, '', put)
  return out.join('')
}

export function toText(machine: Machine, value: Value): string {
  return typeof value === 'string' ? value : manifestJson(machine, value, ONE_LINE)
}

function write(machine: Machine, value: Value, layout: Layout, indent: string, put: (text: string) => void): void {
  machine.spend(1)
  if (typeof value === 'string') put(quote(value))
  else if (typeof value === 'number') put(showNumber(value))
  else if (value === null || typeof value === 'boolean') put(String(value))
  else if (value instanceof JsonnetFunction) throw machine.fail("couldn't manifest function as JSON")
  else {
    machine.enter(4)
    if (value instanceof JsonnetArray) writeArray(machine, value, layout, indent, put)
    else writeObject(machine, value, layout, indent, put)
    machine.leave(4)
  }
}

function writeArray(
  machine: Machine,
  array: JsonnetArray,
  layout: Layout,
  indent: string,
  put: (text: string) => void,
) {
  if (array.items.length === 0) return put(layout.emptyArray)
  const inner = layout.indent === undefined ? indent : indent + layout.indent
  let before = `[${layout.newline}`
  for (const item of array.items) {
    put(before + inner)
    write(machine, force(item), layout, inner, put)
    before = layout.comma + layout.newline
  }
  put(`${layout.newline}${indent}]`)
}

function writeObject(
  machine: Machine,
  object: JsonnetObject,
  layout: Layout,
  indent: string,
  put: (text: string) => void,
) {
  checkAsserts(machine, object)
  const names = fieldNames(machine, object)
  if (names.length === 0) return put(layout.emptyObject)
  const inner = layout.indent === undefined ? indent : indent + layout.indent
  let before = `{${layout.newline}`
  for (const name of names) {
    put(before + inner + quote(name) + layout.colon)
    write(machine, getField(machine, object, name), layout, inner, put)
    before = layout.comma + layout.newline
  }
  put(`${layout.newline}${indent}}`)
}

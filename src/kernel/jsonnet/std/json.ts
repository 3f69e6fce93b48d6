import type { Machine } from '../machine.ts'
import { showPlain } from '../numbers.ts'
import { fieldNames, getField, objectOf } from '../objects.ts'
import { finite } from '../operators.ts'
import { type Cell, force, JsonnetArray, JsonnetFunction, type JsonnetObject, type Value } from '../values.ts'
import { asText, type Library, strict } from './kit.ts'
import { Output } from './output.ts'

interface Layout {
  indent: string
  newline: string
  colon: string
}

/** As Go's JSON encoder writes text, which differs from the rest of the language. */
const encode = (text: string) =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)

function write(machine: Machine, value: Value, layout: Layout, indent: string, out: Output): void {
  machine.spend(1)
  if (typeof value === 'string') return out.put(encode(value))
  if (typeof value === 'number') return out.put(showPlain(value))
  if (value instanceof JsonnetFunction) throw machine.fail('tried to manifest function')
  if (value === null || typeof value === 'boolean') return out.put(String(value))
  const list = value instanceof JsonnetArray
  const inner = indent + layout.indent
  let before = layout.newline + inner
  out.put(list ? '[' : '{')
  machine.enter(2)
  for (const entry of list ? value.items : fieldNames(machine, value)) {
    out.put(before)
    before = `,${layout.newline}${inner}`
    if (list) write(machine, force(entry), layout, inner, out)
    else {
      const name = entry as string
      out.put(encode(name), layout.colon)
      write(machine, getField(machine, value, name), layout, inner, out)
    }
  }
  machine.leave(2)
  // an empty one has its two line breaks as well
  if (before === layout.newline + inner) out.put(layout.newline)
  out.put(layout.newline, indent, list ? ']' : '}')
}

function manifest(machine: Machine, value: Value, layout: Layout): string {
  const out = new Output(machine)
  write(machine, value, layout, '', out)
  return out.toString()
}

function parse(machine: Machine, text: string): Value {
  machine.spendText(text.length * 4)
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw machine.fail(`failed to parse JSON: ${(cause as Error).message}`)
  }
  return fromParsed(machine, document)
}

/** @param document what a parser made: maps of own members, lists, primitives */
export function fromParsed(machine: Machine, document: unknown): Value {
  machine.spend(1)
  if (document === null || typeof document === 'boolean') return document
  if (typeof document === 'number') return finite(machine, document)
  if (typeof document === 'string') return document.toWellFormed()
  machine.enter(4)
  const value = Array.isArray(document)
    ? new JsonnetArray(document.map((entry) => fromParsed(machine, entry)))
    : objectFrom(machine, document as object)
  machine.leave(4)
  return value
}

function objectFrom(machine: Machine, document: object): JsonnetObject {
  const entries = Object.entries(document)
  return objectOf(entries.map(([name, entry]): [string, Cell] => [name.toWellFormed(), fromParsed(machine, entry)]))
}

export const json: Library = {
  manifestJson: strict(['value'], (machine, value) =>
    manifest(machine, value, { indent: '    ', newline: '\n', colon: ': ' }),
  ),
  manifestJsonMinified: strict(['value'], (machine, value) =>
    manifest(machine, value, { indent: '', newline: '', colon: ':' }),
  ),
  manifestJsonEx: strict(
    ['value', 'indent', ['newline', '\n'], ['key_val_sep', ': ']],
    (machine, value, indent, newline, colon) =>
      manifest(machine, value, {
        indent: asText(machine, indent),
        newline: asText(machine, newline),
        colon: asText(machine, colon),
      }),
  ),
  parseJson: strict(['str'], (machine, text) => parse(machine, asText(machine, text))),
}

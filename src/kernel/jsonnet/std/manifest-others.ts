import type { Machine } from '../machine.ts'
import { toText } from '../manifest.ts'
import { showNumber } from '../numbers.ts'
import { fieldNames, getField, hasField } from '../objects.ts'
import { quote } from '../text.ts'
import { force, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from '../values.ts'
import { asArray, asObject, type Library, strict } from './kit.ts'
import { Output } from './output.ts'

function python(machine: Machine, value: Value, out: Output): void {
  machine.spend(1)
  if (typeof value === 'string') return out.put(quote(value))
  if (typeof value === 'number') return out.put(showNumber(value))
  if (value === null) return out.put('None')
  if (typeof value === 'boolean') return out.put(value ? 'True' : 'False')
  if (value instanceof JsonnetFunction) throw machine.fail('cannot manifest function')
  const list = value instanceof JsonnetArray
  machine.enter(2)
  let before = list ? '[' : '{'
  out.put(before)
  before = ''
  for (const entry of list ? value.items : fieldNames(machine, value)) {
    out.put(before)
    before = ', '
    if (!list) out.put(quote(entry as string), ': ')
    python(machine, list ? force(entry) : getField(machine, value, entry as string), out)
  }
  out.put(list ? ']' : '}')
  machine.leave(2)
}

function pythonVars(machine: Machine, value: Value): string {
  const object = asObject(machine, value)
  const out = new Output(machine)
  for (const name of fieldNames(machine, object)) {
    out.put(name, ' = ')
    python(machine, getField(machine, object, name), out)
    out.put('\n')
  }
  return out.toString()
}

function iniBody(machine: Machine, value: Value, out: Output): void {
  const object = asObject(machine, value)
  for (const name of fieldNames(machine, object)) {
    const entry = getField(machine, object, name)
    for (const item of entry instanceof JsonnetArray ? entry.items : [entry]) {
      machine.spend(1)
      out.put(name, ' = ', toText(machine, force(item)), '\n')
    }
  }
}

function ini(machine: Machine, value: Value): string {
  const object = asObject(machine, value)
  const out = new Output(machine)
  if (hasField(object, 'main')) iniBody(machine, getField(machine, object, 'main'), out)
  const sections = asObject(machine, getField(machine, object, 'sections'))
  for (const name of fieldNames(machine, sections)) {
    out.put('[', name, ']\n')
    iniBody(machine, getField(machine, sections, name), out)
  }
  return out.toString()
}

/** `[tag, {attribute: value}?, …children]`, each a text or such an array. */
function xml(machine: Machine, value: Value, out: Output): void {
  machine.spend(1)
  if (typeof value === 'string') return out.put(value)
  const { items } = asArray(machine, value)
  if (items.length === 0) throw machine.fail('Index 0 out of bounds, not within [0, 0)')
  machine.enter(3)
  const tag = toText(machine, force(items[0]!))
  const second = items.length > 1 ? force(items[1]!) : null
  out.put('<', tag)
  if (second instanceof JsonnetObject)
    for (const name of fieldNames(machine, second))
      out.put(' ', name, '="', toText(machine, getField(machine, second, name)), '"')
  out.put('>')
  for (const child of items.slice(second instanceof JsonnetObject ? 2 : 1)) xml(machine, force(child), out)
  out.put('</', tag, '>')
  machine.leave(3)
}

const written = (write: (machine: Machine, value: Value, out: Output) => void) => (machine: Machine, value: Value) => {
  const out = new Output(machine)
  write(machine, value, out)
  return out.toString()
}

export const otherFormats: Library = {
  manifestPython: strict(['v'], written(python)),
  manifestPythonVars: strict(['conf'], pythonVars),
  manifestIni: strict(['ini'], ini),
  manifestXmlJsonml: strict(['value'], (machine, value) => {
    if (!(value instanceof JsonnetArray)) throw machine.fail(`Expected a JSONML value (an array), got ${typeOf(value)}`)
    return written(xml)(machine, value)
  }),
}

import type { IdentitySchema, Json, JsonObject, TraitInput } from '../identities/types.ts'
import { isObject } from '../identities/types.ts'
import { cloneJson } from '../kernel/base/exact-json.ts'
import { ExactNumber, isNumber, type JsonNumber, readDecimal, sameNumber } from '../kernel/base/exact-number.ts'
import { goBoolean } from '../kernel/base/go-boolean.ts'
import { fieldText, parsed } from './form.ts'
import type { SubmittedForm } from './types.ts'

type TraitsSchema = Pick<IdentitySchema, 'inputs' | 'objects' | 'lists'>

/**
 * The traits of a submitted form: the member `traits`, and fields with dotted names, converted to the type in the
 * schema. A value of the wrong type stays text, so that the schema refuses it. Objects of the schema that were not
 * sent are empty, as in Kratos.
 */
export function submittedTraits(form: SubmittedForm, schema: TraitsSchema): Json {
  const whole = wholeTraits(form)
  // What is written into a value that is no object takes its place.
  if (whole !== undefined && !isObject(whole) && schema.objects.length === 0) return whole
  const traits: JsonObject = isObject(whole) ? cloneJson(whole) : {}
  for (const input of schema.inputs) {
    const value = fieldValue(fieldTexts(form, input.name), input, schema.lists.has(input.name))
    if (value !== undefined) put(traits, input.name, value)
  }
  for (const name of schema.objects) if (at(traits, name) === undefined) put(traits, name, {})
  return traits
}

/** The values of the traits that inputs of a form can hold, by name. */
export function traitValues(traits: Json, inputs: readonly TraitInput[]): Map<string, Json> {
  return new Map(
    inputs.flatMap(({ name }): [string, Json][] => {
      const value = isObject(traits) ? at(traits, name) : undefined
      return value === undefined || value === null || (typeof value === 'object' && !isNumber(value))
        ? []
        : [[name, value]]
    }),
  )
}

function wholeTraits(form: SubmittedForm): Json | undefined {
  const value = form.kind === 'json' ? form.values.traits : form.values.traits?.[0]
  if (value === undefined || value === null || value === '') return undefined
  return typeof value === 'string' ? (parsed(value, form.limits) ?? value) : (value as Json)
}

function fieldTexts(form: SubmittedForm, name: string): readonly string[] {
  if (form.kind === 'form') return form.values[name] ?? []
  return Object.hasOwn(form.values, name) ? [fieldText(form, name)] : []
}

function fieldValue(texts: readonly string[], input: TraitInput, list: boolean): Json | undefined {
  if (texts.length === 0) return undefined
  if (list) return texts.map((text) => typed(text, input.type))
  // A checkbox follows a hidden field that says false: the last one counts.
  const text = input.type === 'checkbox' ? texts.at(-1)! : texts[0]!
  if (text === '') return input.type === 'checkbox' && input.required ? false : undefined
  return typed(text, input.type)
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i

function typed(text: string, type: string): Json {
  if (type === 'number') return NUMBER.test(text) && Number.isFinite(Number(text)) ? numberOf(text) : text
  if (type === 'checkbox') return goBoolean(text) ?? text
  return text
}

/** Kratos reads a field as double and writes it back: 1.0 is 1. One with more digits keeps them here. */
function numberOf(text: string): JsonNumber {
  const value = Number(text)
  return readDecimal(text) && !sameNumber(text, String(value)) ? new ExactNumber(text) : value
}

/** The steps below `traits`. */
const steps = (name: string) => name.split('.').slice(1)

function at(traits: JsonObject, name: string): Json | undefined {
  let value: Json | undefined = traits
  for (const step of steps(name)) {
    value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
  }
  return value
}

/** Changes nothing if a value on the way is no object. */
function put(traits: JsonObject, name: string, value: Json): void {
  const path = steps(name)
  let place = traits
  for (const step of path.slice(0, -1)) {
    const next = Object.hasOwn(place, step) ? place[step] : define(place, step, {})
    if (!isObject(next)) return
    place = next
  }
  define(place, path.at(-1)!, value)
}

/** Defines an own member, whatever its name: assignment to `__proto__` would not. */
function define(object: JsonObject, name: string, value: Json): Json {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  return value
}

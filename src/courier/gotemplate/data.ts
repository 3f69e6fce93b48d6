import type { Budget } from './budget.ts'
import { MODELS } from './models.ts'
import { Dict, Headers, Int, List, Struct, type Value } from './values.ts'

/**
 * Takes JSON values over as a template sees them. It is a copy: what a template sets in it stays in its rendering.
 *
 * @param model name of a message's data, whose top level is a struct
 */
export function fromData(data: unknown, budget: Budget, model?: string): Value {
  if (model === undefined || data === null || typeof data !== 'object') return fromJson(data, budget)
  const members = MODELS.get(model)
  const fields = new Map<string, Value>()
  const jsonNames = new Map<string, string>()
  for (const { name, json, zero } of members ?? []) {
    fields.set(name, zero)
    if (json) jsonNames.set(name, json)
  }
  for (const [name, value] of Object.entries(data)) fields.set(name, member(name, value, budget))
  return new Struct(goName(model), fields, jsonNames)
}

function member(name: string, value: unknown, budget: Budget): Value {
  if (name === 'UserRequestHeaders') return headers(value, budget)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return new Int(value)
  const known = fromJson(value, budget)
  return known === null && (name === 'Identity' || name === 'Traits' || name === 'TransientPayload')
    ? new Dict(new Map(), undefined, true)
    : known
}

function headers(value: unknown, budget: Budget): Headers {
  if (value === null || typeof value !== 'object') return new Headers(new Map(), true)
  const entries = new Map<string, Value>()
  for (const [name, list] of Object.entries(value)) {
    const known = fromJson(list, budget)
    entries.set(name, new List(known instanceof List ? known.items : [known], 'string'))
  }
  return new Headers(entries)
}

/** @param data what JSON.parse gives; numbers become float64 */
export function fromJson(data: unknown, budget: Budget): Value {
  budget.step()
  if (data === null || data === undefined) return null
  if (typeof data === 'string') return data.toWellFormed()
  if (typeof data === 'number' || typeof data === 'boolean') return data
  if (typeof data === 'bigint') return Number(data)
  if (Array.isArray(data)) return budget.nested(() => new List(data.map((item) => fromJson(item, budget))))
  if (data instanceof Date) return data.toISOString()
  if (typeof data !== 'object') return null
  const entries = new Map<string, Value>()
  budget.nested(() => {
    for (const [key, value] of Object.entries(data)) entries.set(key.toWellFormed(), fromJson(value, budget))
  })
  return new Dict(entries)
}

/** `email.recovery_valid` is Go's `*email.RecoveryValidModel`. */
function goName(model: string): string {
  const [channel, name = ''] = model.split('.')
  const words = name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `*${channel}.${words.join('')}Model`
}

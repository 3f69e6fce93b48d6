import type { Budget } from '../budget.ts'
import { Dict, Int, List, Struct, sortedKeys, Thing, type Value } from '../values.ts'

/** A text that two values share if and only if they are of the same types and equal all through. */
export function identity(value: Value, budget: Budget): string {
  budget.step()
  if (value === null || value === undefined) return 'nil'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return `float ${value === 0 ? 0 : value}`
  if (value instanceof Int) return `${value.type} ${value.n}`
  if (value instanceof Thing) return `${value.type} ${value.text()}`
  return budget.nested(() => {
    if (value instanceof List)
      return `${value.isNil ? 'nil ' : ''}[${value.element}: ${value.items.map((item) => identity(item, budget)).join(', ')}]`
    const fields = value instanceof Struct ? new Dict(new Map(value.fields), value.type) : value
    const pairs = sortedKeys(fields).map(
      (key) => `${JSON.stringify(key)}: ${identity(fields.entries.get(key), budget)}`,
    )
    return `${fields.isNil ? 'nil ' : ''}{${fields.element}: ${pairs.join(', ')}}`
  })
}

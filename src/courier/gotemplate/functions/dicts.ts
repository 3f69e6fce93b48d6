import type { Budget } from '../budget.ts'
import { FunctionError } from '../errors.ts'
import { strval } from '../text/text.ts'
import { Dict, List, sortedKeys, typeOf, type Value } from '../values.ts'
import { isEmpty } from './logic.ts'
import { type Func, func } from './signature.ts'

type Keyed = readonly [Dict, ...string[]]

const merge = (overwrites: boolean) =>
  func('dict, ...dict', ([into, ...from]: readonly Dict[], { budget }) => {
    const target = into!.isNil ? new Dict() : into!
    for (const one of from) mergeInto(target, one, overwrites, budget)
    return target
  })

const deepCopy = func('any', ([value], { budget }) => {
  if (value === null) throw new FunctionError('nil cannot be copied')
  return copied(value, budget)
})

/** @see https://masterminds.github.io/sprig/dicts.html */
export const DICTS: Record<string, Func> = {
  dict: func('...any', (pairs, runtime) => {
    const entries = new Map<string, Value>()
    for (let i = 0; i < pairs.length; i += 2)
      entries.set(strval(pairs[i], runtime), i + 1 < pairs.length ? pairs[i + 1] : '')
    return new Dict(entries)
  }),
  get: func('dict, string', ([dict, key]: Keyed) => (dict.entries.has(key!) ? dict.entries.get(key!) : '')),
  set: func('dict, string, any', ([dict, key, value]: readonly [Dict, string, Value]) => {
    writable(dict).entries.set(key, value)
    return dict
  }),
  unset: func('dict, string', ([dict, key]: Keyed) => {
    dict.entries.delete(key!)
    return dict
  }),
  hasKey: func('dict, string', ([dict, key]: Keyed) => dict.entries.has(key!)),
  pluck: func(
    'string, ...dict',
    ([key, ...dicts]: readonly [string, ...Dict[]]) =>
      new List(dicts.filter(({ entries }) => entries.has(key)).map(({ entries }) => entries.get(key))),
  ),
  // in the order of the keys, where Go has none
  keys: func('...dict', (dicts: readonly Dict[], { budget }) => {
    budget.step(dicts.reduce((sum, { entries }) => sum + entries.size, 0))
    return new List(dicts.flatMap(sortedKeys), 'string')
  }),
  values: func('dict', ([dict]: readonly [Dict]) => new List(sortedKeys(dict).map((key) => dict.entries.get(key)))),
  pick: func('dict, ...string', ([dict, ...keys]: Keyed) => {
    const wanted = new Set(keys)
    return new Dict(new Map([...dict.entries].filter(([key]) => wanted.has(key))))
  }),
  omit: func('dict, ...string', ([dict, ...keys]: Keyed) => {
    const unwanted = new Set(keys)
    return new Dict(new Map([...dict.entries].filter(([key]) => !unwanted.has(key))))
  }),
  merge: merge(false),
  mustMerge: merge(false),
  mergeOverwrite: merge(true),
  mustMergeOverwrite: merge(true),
  deepCopy,
  mustDeepCopy: deepCopy,
  dig: func('...any', (args) => {
    if (args.length < 3) throw new FunctionError('dig wants keys, a default and a dict')
    let value: Value = args.at(-1)
    for (const key of args.slice(0, -2)) {
      if (!(value instanceof Dict) || value.element !== 'interface {}')
        throw new FunctionError(`${typeOf(value)} is no dict`)
      if (typeof key !== 'string') throw new FunctionError('a key is a text')
      if (!value.entries.has(key)) return args.at(-2)
      value = value.entries.get(key)
    }
    return value
  }),
}

function writable(dict: Dict): Dict {
  if (dict.isNil) throw new FunctionError('nothing can be set in a missing map')
  return dict
}

/** Maps in maps are merged; other values come from the first that has one that is not empty, or from the last. */
function mergeInto(into: Dict, from: Dict, overwrites: boolean, budget: Budget): void {
  budget.step(from.entries.size + 1)
  budget.nested(() => {
    for (const [key, value] of from.entries) {
      const present = into.entries.get(key)
      if (value === null || value === undefined) {
        if (overwrites) into.entries.set(key, value)
      } else if (present instanceof Dict && value instanceof Dict && (!isEmpty(present) || !isEmpty(value))) {
        mergeInto(present, value, overwrites, budget)
      } else if (!overwrites && present !== undefined && !isEmpty(present)) continue
      else into.entries.set(key, value)
    }
  })
}

function copied(value: Value, budget: Budget): Value {
  budget.step()
  if (value instanceof List)
    return budget.nested(
      () =>
        new List(
          value.items.map((item) => copied(item, budget)),
          value.element,
          value.isNil,
        ),
    )
  if (!(value instanceof Dict)) return value
  return budget.nested(
    () =>
      new Dict(
        new Map([...value.entries].map(([key, item]) => [key, copied(item, budget)])),
        value.element,
        value.isNil,
      ),
  )
}

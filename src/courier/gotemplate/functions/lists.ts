import { FunctionError } from '../errors.ts'
import { type Int, List, typeOf, type Value } from '../values.ts'
import { toInt64 } from './casts.ts'
import { identity } from './equality.ts'
import { isEmpty } from './logic.ts'
import { type Func, func, type Runtime } from './signature.ts'

/** `name` and `mustName`, which differ in Go only by how they fail. */
function both(name: string, known: Func): Record<string, Func> {
  return { [name]: known, [`must${name[0]!.toUpperCase()}${name.slice(1)}`]: known }
}

const ofItems = (call: (items: readonly Value[], runtime: Runtime) => Value) =>
  func('any', ([list], runtime) => call(itemsOf(list, runtime), runtime))

const push = func('any, any', ([list, value], runtime) => new List([...itemsOf(list, runtime), value]))
const list = func('...any', (items) => new List(items))

/** @see https://masterminds.github.io/sprig/lists.html */
export const LISTS: Record<string, Func> = {
  list,
  tuple: list,
  ...both(
    'first',
    ofItems((items) => items[0] ?? null),
  ),
  ...both(
    'last',
    ofItems((items) => items.at(-1) ?? null),
  ),
  ...both(
    'rest',
    ofItems((items) => new List(items.slice(1), undefined, items.length === 0)),
  ),
  ...both(
    'initial',
    ofItems((items) => new List(items.slice(0, -1), undefined, items.length === 0)),
  ),
  ...both('append', push),
  ...both('push', push),
  ...both(
    'prepend',
    func('any, any', ([of, value], runtime) => new List([value, ...itemsOf(of, runtime)])),
  ),
  concat: func('...any', (lists, runtime) => {
    const items = lists.flatMap((one) => itemsOf(one, runtime))
    return new List(items, undefined, items.length === 0)
  }),
  ...both(
    'reverse',
    ofItems((items) => new List([...items].reverse())),
  ),
  ...both(
    'compact',
    ofItems((items) => new List(items.filter((item) => !isEmpty(item)))),
  ),
  ...both('uniq', ofItems(unique)),
  ...both(
    'without',
    func('any, ...any', ([of, ...left], { budget, ...runtime }) => {
      const out = new Set(left.map((value) => identity(value, budget)))
      return new List(itemsOf(of, { budget, ...runtime }).filter((item) => !out.has(identity(item, budget))))
    }),
  ),
  ...both(
    'has',
    func('any, any', ([value, of], runtime) => {
      if (of === null) return false
      const wanted = identity(value, runtime.budget)
      return itemsOf(of, runtime).some((item) => identity(item, runtime.budget) === wanted)
    }),
  ),
  ...both(
    'slice',
    func('any, ...any', ([of, ...ends], runtime) => slice(of, ends.map(toInt64), runtime)),
  ),
  ...both(
    'chunk',
    func('int, any', ([size, of]: readonly [Int, Value], runtime) => chunk(Number(size.n), itemsOf(of, runtime))),
  ),
}

/** @throws FunctionError for what is no list */
function itemsOf(value: Value, { budget }: Runtime): readonly Value[] {
  if (!(value instanceof List)) throw new FunctionError(`expected a list, got ${typeOf(value)}`)
  budget.step(value.items.length)
  return value.items
}

function unique(items: readonly Value[], { budget }: Runtime): List {
  const seen = new Set<string>()
  return new List(
    items.filter((item) => {
      const key = identity(item, budget)
      return !seen.has(key) && seen.add(key)
    }),
  )
}

function slice(of: Value, [start = 0n, end]: readonly bigint[], runtime: Runtime): Value {
  const items = itemsOf(of, runtime)
  if (items.length === 0) return null
  const stop = end ?? BigInt(items.length)
  if (start < 0n || stop > BigInt(items.length) || start > stop)
    throw new FunctionError(`[${start}:${stop}] of ${items.length} elements`)
  return new List(items.slice(Number(start), Number(stop)), (of as List).element)
}

function chunk(size: number, items: readonly Value[]): List {
  if (size <= 0) throw new FunctionError('a chunk has at least one element')
  const chunks: List[] = []
  for (let i = 0; i < items.length; i += size) chunks.push(new List(items.slice(i, i + size)))
  return new List(chunks, '[]interface {}')
}

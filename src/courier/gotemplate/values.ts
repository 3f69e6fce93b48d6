/**
 * The values of a template, with Go's types: what a function takes, what equals what and how a number prints depends on them.
 * `undefined` is no value at all (a missing key), `null` is Go's nil; a JavaScript number is a float64, as all of JSON's are.
 */
export type Value = undefined | null | boolean | number | string | Int | List | Dict | Struct | Thing

export type IntType = 'int' | 'int64' | 'uint8' | 'uint64' | 'time.Month' | 'time.Weekday'

/** A whole number of 64 bits. */
export class Int {
  readonly n: bigint
  readonly type: IntType

  constructor(n: bigint | number, type: IntType = 'int') {
    this.n = type === 'uint64' ? BigInt.asUintN(64, BigInt(n)) : BigInt.asIntN(64, BigInt(n))
    this.type = type
  }
}

export const ANY = 'interface {}'

/** A slice. It is never changed once it is made. */
export class List {
  readonly items: readonly Value[]
  readonly element: string
  readonly isNil: boolean

  constructor(items: readonly Value[], element = ANY, isNil = false) {
    this.items = items
    this.element = element
    this.isNil = isNil
  }
}

/** A map with texts as keys. `set`, `unset` and `merge` change it in place, as they do in Go. */
export class Dict {
  readonly entries: Map<string, Value>
  readonly element: string
  readonly isNil: boolean

  constructor(entries: Map<string, Value> = new Map(), element = ANY, isNil = false) {
    this.entries = entries
    this.element = element
    this.isNil = isNil
  }
}

/** The headers of a request: a map with methods. */
export class Headers extends Dict {
  constructor(entries: Map<string, Value>, isNil = false) {
    super(entries, '[]string', isNil)
  }
}

/** The data of a message: its members are known, another one is an error and not a missing key. */
export class Struct {
  readonly type: string
  readonly fields: ReadonlyMap<string, Value>
  /** What JSON calls the members; without a name one is left out. */
  readonly jsonNames: ReadonlyMap<string, string>

  constructor(type: string, fields: ReadonlyMap<string, Value>, jsonNames: ReadonlyMap<string, string>) {
    this.type = type
    this.fields = fields
    this.jsonNames = jsonNames
  }
}

/** A method, looked up by its name. */
export interface Method {
  /** Go types of the parameters. */
  params: readonly string[]
  call(args: readonly Value[]): Value
}

/** A value with methods: a time, a version. */
export abstract class Thing {
  abstract readonly type: string
  abstract method(name: string): Method | undefined
  /** As it prints. */
  abstract text(): string
  /** As it stands in JSON. */
  json(): string {
    return this.text()
  }
}

/** The name of a Go type, as `printf "%T"` says it. */
export function typeOf(value: Value): string {
  if (value === undefined || value === null) return '<nil>'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (value instanceof Headers) return 'http.Header'
  if (value instanceof List) return `[]${value.element}`
  if (value instanceof Dict) return `map[string]${value.element}`
  return value.type
}

/** The kind behind a type: `slice`, `map`, `ptr`, … */
export function kindOf(value: Value): string {
  if (value === undefined || value === null) return 'invalid'
  if (value instanceof List) return 'slice'
  if (value instanceof Dict) return 'map'
  if (value instanceof Struct || (value instanceof Thing && value.type.startsWith('*'))) return 'ptr'
  if (value instanceof Thing) return 'struct'
  if (value instanceof Int && value.type.startsWith('time.')) return 'int'
  return typeOf(value)
}

/** What `if` takes for true: everything but nothing, zero and what is empty. */
export function isTrue(value: Value): boolean {
  if (value instanceof Int) return value.n !== 0n
  if (value instanceof List) return value.items.length > 0
  if (value instanceof Dict) return value.entries.size > 0
  if (typeof value === 'number') return value !== 0 // NaN is true in Go
  return Boolean(value)
}

/** Compares as Go does, by bytes of UTF-8, which is the order of code points and not of JavaScript's halves. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x === y) continue
    const [high, low] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff]
    return high === low ? x - y : high ? 1 : -1
  }
  return a.length - b.length
}

export function sortedKeys(dict: Dict): string[] {
  return [...dict.entries.keys()].sort(compareText)
}

export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

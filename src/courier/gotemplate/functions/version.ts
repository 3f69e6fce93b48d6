import { FunctionError } from '../errors.ts'
import { Int, type Method, Thing, type Value } from '../values.ts'

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const VERSION = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:-(${IDENTIFIERS}))?(?:\\+(${IDENTIFIERS}))?$`)
const MAX_LENGTH = 256

/** A semantic version; parts that are not written are 0. */
export class Version extends Thing {
  readonly type = '*semver.Version'
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  readonly pre: string
  readonly metadata: string
  private readonly original: string

  /** @throws FunctionError */
  constructor(text: string) {
    super()
    const found = text.length <= MAX_LENGTH ? VERSION.exec(text) : null
    if (!found) throw new FunctionError(`${JSON.stringify(text.slice(0, 40))} is no version`)
    const [, major = '0', minor = '0', patch = '0', pre = '', metadata = ''] = found
    if ([major, minor, patch].some((n) => BigInt(n) >= 2n ** 64n))
      throw new FunctionError('a part of the version is too large')
    if (pre.split('.').some((part) => /^0[0-9]+$/.test(part)))
      throw new FunctionError('a part of the prerelease begins with 0')
    this.major = BigInt(major)
    this.minor = BigInt(minor)
    this.patch = BigInt(patch)
    this.pre = pre
    this.metadata = metadata
    this.original = text
  }

  text(): string {
    const [pre, metadata] = [this.pre && `-${this.pre}`, this.metadata && `+${this.metadata}`]
    return `${this.major}.${this.minor}.${this.patch}${pre}${metadata}`
  }

  method(name: string): Method | undefined {
    const value = this.property(name)
    if (value !== undefined) return { params: [], call: () => value }
    if (!['Compare', 'LessThan', 'GreaterThan', 'Equal'].includes(name)) return undefined
    return { params: [this.type], call: ([other]) => this.answer(name, this.compare(other as Version)) }
  }

  compare(other: Version): number {
    for (const part of ['major', 'minor', 'patch'] as const)
      if (this[part] !== other[part]) return this[part] < other[part] ? -1 : 1
    return comparePrerelease(this.pre, other.pre)
  }

  private answer(name: string, order: number): Value {
    if (name === 'Compare') return new Int(order)
    return name === 'LessThan' ? order < 0 : name === 'GreaterThan' ? order > 0 : order === 0
  }

  private property(name: string): Value {
    switch (name) {
      case 'Major':
        return new Int(this.major, 'uint64')
      case 'Minor':
        return new Int(this.minor, 'uint64')
      case 'Patch':
        return new Int(this.patch, 'uint64')
      case 'Prerelease':
        return this.pre
      case 'Metadata':
        return this.metadata
      case 'Original':
        return this.original
      case 'String':
        return this.text()
    }
    return undefined
  }
}

/** A release comes after its prereleases; numbers come before words. */
export function comparePrerelease(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? 1 : -1
  const [left, right] = [a.split('.'), b.split('.')]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i], right[i]]
    if (x === y) continue
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    const [xNumber, yNumber] = [/^[0-9]+$/.test(x), /^[0-9]+$/.test(y)]
    if (xNumber !== yNumber) return xNumber ? -1 : 1
    if (xNumber) return BigInt(x) < BigInt(y) ? -1 : 1
    return x < y ? -1 : 1
  }
  return 0
}

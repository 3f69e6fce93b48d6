import type { Location } from '../errors.ts'

/** What can only be wrong where it is reached. */
export interface Doubt {
  reason: string
  location: Location
}

/** Which names an expression may use, and where they will lie: how many environments out, and which cell there. */
export class Scope {
  readonly #parent: Scope | null
  readonly #names: ReadonlyMap<string, number>
  /** between braces somewhere, where `self` and `super` mean something */
  readonly inObject: boolean
  /** of the whole program */
  readonly doubts: Doubt[]

  private constructor(names: readonly string[], parent: Scope | null, inObject: boolean) {
    this.#names = new Map(names.map((name, index) => [name, index]))
    this.#parent = parent
    this.inObject = inObject
    this.doubts = parent?.doubts ?? []
  }

  static outermost(): Scope {
    return new Scope(['std'], null, false)
  }

  inner(names: readonly string[]): Scope {
    return new Scope(names, this, this.inObject)
  }

  /** Between braces: its locals, and `$` where these are the outermost. */
  object(locals: readonly string[]): Scope {
    return new Scope(this.inObject ? locals : [...locals, '$'], this, true)
  }

  find(name: string): { out: number; index: number; outermost: boolean } | undefined {
    let out = 0
    for (let scope: Scope | null = this; scope; scope = scope.#parent) {
      const index = scope.#names.get(name)
      if (index !== undefined) return { out, index, outermost: scope.#parent === null }
      out += 1
    }
    return undefined
  }
}

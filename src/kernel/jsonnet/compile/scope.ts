/** Which names an expression may use, and where they will lie: how many environments out, and which cell there. */
export class Scope {
  readonly #parent: Scope | null
  readonly #names: readonly string[]
  /** between braces somewhere, where `self` and `super` mean something */
  readonly inObject: boolean

  constructor(names: readonly string[], parent: Scope | null = null, inObject = false) {
    this.#names = names
    this.#parent = parent
    this.inObject = inObject
  }

  inner(names: readonly string[]): Scope {
    return new Scope(names, this, this.inObject)
  }

  /** Between braces: its locals, and `$` where these are the outermost. */
  object(locals: readonly string[]): Scope {
    return new Scope(this.inObject ? locals : [...locals, '$'], this, true)
  }

  find(name: string): { out: number; index: number } | undefined {
    let out = 0
    for (let scope: Scope | null = this; scope; scope = scope.#parent) {
      const index = scope.#names.indexOf(name)
      if (index !== -1) return { out, index }
      out += 1
    }
    return undefined
  }
}

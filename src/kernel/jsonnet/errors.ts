/** static: the program cannot run at all · runtime: it failed · budget: it would take more work, depth or space than allowed. */
export type FailureKind = 'static' | 'runtime' | 'budget'

/** A position in a program, resolved to line and column only when needed. */
export interface Location {
  source: Source
  /** offset in UTF-16 units */
  at: number
}

/** One text of code with the name that messages show: the program itself or the code of an external variable. */
export class Source {
  readonly name: string
  readonly text: string

  constructor(name: string, text: string) {
    this.name = name
    this.text = text.toWellFormed()
  }

  /** @returns line and column, both from 1 */
  lineColumn(at: number): { line: number; column: number } {
    const before = this.text.slice(0, at)
    const start = before.lastIndexOf('\n') + 1
    let line = 1
    for (let from = before.indexOf('\n'); from !== -1; from = before.indexOf('\n', from + 1)) line += 1
    return { line, column: at - start + 1 }
  }
}

/** The error of a program, with its position: `mapper.jsonnet:3:7: Field does not exist: email`. */
export class JsonnetError extends Error {
  readonly kind: FailureKind
  readonly reason: string
  file: string | undefined
  line: number | undefined
  column: number | undefined

  constructor(kind: FailureKind, reason: string, location?: Location) {
    super(reason)
    this.name = 'JsonnetError'
    this.kind = kind
    this.reason = reason
    if (location) this.locate(location)
  }

  /** The innermost known position wins: calls inside the library have none. */
  locate(location: Location): void {
    if (this.file !== undefined) return
    const { line, column } = location.source.lineColumn(location.at)
    this.file = location.source.name
    this.line = line
    this.column = column
    this.message = `${this.file}:${line}:${column}: ${this.reason}`
  }
}

import { bindArguments, callFunction } from './calls.ts'
import { compile } from './compile/compile.ts'
import { type Doubt, Scope } from './compile/scope.ts'
import { JsonnetError, Source } from './errors.ts'
import { DEFAULT_LIMITS, type Limits, Machine } from './machine.ts'
import { DOCUMENT, manifestJson } from './manifest.ts'
import { library } from './std/index.ts'
import { fromParsed } from './std/json.ts'
import { parse } from './syntax/parser.ts'
import { type Body, type Cell, Env, force, JsonnetFunction, Thunk, type Value } from './values.ts'

export { JsonnetError } from './errors.ts'
export { DEFAULT_LIMITS, type Limits } from './machine.ts'

export interface Inputs {
  /** `std.extVar(name)` as text */
  extVars?: Readonly<Record<string, string>>
  /** `std.extVar(name)` as the value of code, such as a JSON document */
  extCodes?: Readonly<Record<string, string>>
  /** arguments of a program that is a function, as code */
  tlaCodes?: Readonly<Record<string, string>>
  /** `std.thisFile`, else empty */
  thisFile?: string
  /** what `std.trace` says; else it is dropped */
  trace?: (text: string) => void
  limits?: Partial<Limits>
}

export interface Program {
  /** @returns the JSON text of the value, with a line break at its end. @throws JsonnetError */
  run: (inputs?: Inputs) => string
  /** what can only fail at run time, with line and column: unknown functions of `std`, imports */
  doubts: string[]
}

/** UTF-16 units of one text of code. Four times what Kratos takes of program and inputs together. */
const MAX_CODE = 262_144

/**
 * Compiles a program. It can neither read files nor know the time: its result depends on its inputs alone.
 *
 * @param name of the program in messages
 * @throws JsonnetError (static) with line and column
 */
export function compileProgram(text: string, name: string): Program {
  const { body, doubts } = guarded(() => compileCode(new Source(name, text)))
  return {
    run: (inputs = {}) => guarded(() => run(body, inputs)),
    doubts: doubts.map(({ reason, location }) => new JsonnetError('static', reason, location).message),
  }
}

/** Compiles a program and runs it once. @throws JsonnetError */
export function evaluate(text: string, { file, ...inputs }: Inputs & { file: string }): string {
  return compileProgram(text, file).run(inputs)
}

function compileCode(source: Source): { body: Body; doubts: Doubt[] } {
  if (source.text.length > MAX_CODE)
    throw new JsonnetError('static', `${source.name} has more than ${MAX_CODE} characters`)
  const node = parse(source)
  const scope = Scope.outermost()
  return { body: { run: compile(node, scope), height: node.height }, doubts: scope.doubts }
}

/** Nearly always JSON, which is a subset of the language and much faster to read with a parser of JSON. */
function compileInput(source: Source): Body {
  let document: unknown
  try {
    document = JSON.parse(source.text)
  } catch {
    return compileCode(source).body
  }
  return { run: ({ machine }) => fromParsed(machine, document), height: 4 }
}

function run(body: Body, inputs: Inputs): string {
  const machine = new Machine({ ...DEFAULT_LIMITS, ...inputs.limits })
  const cells: Cell[] = []
  const root = new Env(machine, null, cells, null, 0)
  const code =
    (kind: string) =>
    ([name, text]: [string, string]): [string, Cell] => [
      name,
      new Thunk(compileInput(new Source(`<${kind}:${name}>`, text)), root),
    ]
  const externals = new Map<string, Cell>(
    Object.entries(inputs.extVars ?? {}).map(([name, text]) => [name, text.toWellFormed()]),
  )
  for (const [name, cell] of Object.entries(inputs.extCodes ?? {}).map(code('extvar'))) externals.set(name, cell)
  cells.push(library(machine, { externals, thisFile: inputs.thisFile ?? '', trace: inputs.trace ?? (() => {}) }))
  const result = force(new Thunk(body, root))
  const args = Object.entries(inputs.tlaCodes ?? {}).map(code('top-level-arg'))
  return `${manifestJson(machine, withArguments(machine, result, args), DOCUMENT)}\n`
}

/** A program that is a function is called with the given arguments; its defaults fill the others. */
function withArguments(machine: Machine, result: Value, args: [string, Cell][]): Value {
  if (!(result instanceof JsonnetFunction)) return result
  const named = args.map(([name, cell]) => ({ name, cell }))
  return callFunction(machine, result, bindArguments(machine, result, [], named))
}

/** The stack of JavaScript may be shorter than usual, or half used already. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError && /call stack/i.test(error.message))
      throw new JsonnetError('budget', 'max stack frames exceeded.')
    throw error
  }
}

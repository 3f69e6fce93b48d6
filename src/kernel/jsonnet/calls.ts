import { JsonnetError, type Location } from './errors.ts'
import type { Machine } from './machine.ts'
import { type Cell, Env, force, type JsonnetFunction, Thunk, type Value } from './values.ts'

/** A call in tail position, left to the caller of the function that makes it: see {@link callFunction}. */
export interface TailCall {
  target: JsonnetFunction
  args: Cell[]
}

export interface NamedArgument {
  name: string
  cell: Cell
}

/** Calls a function with arguments from {@link bindArguments}, and its tail calls in a loop, without growing the stack. */
export function callFunction(machine: Machine, target: JsonnetFunction, args: Cell[], location?: Location): Value {
  let result = invoke(machine, target, args, location)
  while (machine.tail !== undefined) {
    const tail = machine.tail as TailCall
    machine.tail = undefined
    result = invoke(machine, tail.target, tail.args, location)
  }
  return result
}

function invoke(machine: Machine, { code }: JsonnetFunction, args: Cell[], location: Location | undefined): Value {
  if ('native' in code) return invokeNative(machine, code.native, args, location)
  const { body, env } = code
  machine.enter(body.height)
  const result = body.run(env.inner(args))
  machine.leave(body.height)
  return result
}

type Native = (machine: Machine, args: Cell[]) => Value

function invokeNative(machine: Machine, native: Native, args: Cell[], location: Location | undefined): Value {
  machine.enter(4, 0)
  try {
    const result = native(machine, args)
    machine.leave(4, 0)
    return result
  } catch (error) {
    // functions of the library have no position: the call has
    if (location && error instanceof JsonnetError) error.locate(location)
    throw error
  }
}

/** Calls with positional arguments alone. */
export function call(machine: Machine, target: JsonnetFunction, ...positional: Cell[]): Value {
  return callFunction(machine, target, bindArguments(machine, target, positional, []))
}

/** @returns one cell for each parameter. @throws JsonnetError where they do not fit */
export function bindArguments(
  machine: Machine,
  target: JsonnetFunction,
  positional: Cell[],
  named: readonly NamedArgument[],
  location?: Location,
): Cell[] {
  const parameters = target.parameters.list
  if (positional.length > parameters.length)
    throw machine.fail(
      `function expected ${parameters.length} positional argument(s), but got ${positional.length}`,
      location,
    )
  if (named.length === 0 && positional.length === parameters.length) return positional
  const cells: (Cell | undefined)[] = [...positional]
  for (const { name, cell } of named) {
    const index = target.parameters.places.get(name)
    if (index === undefined) throw machine.fail(`function has no parameter ${name}`, location)
    if (cells[index] !== undefined) throw machine.fail(`Argument ${name} already provided`, location)
    cells[index] = cell
  }
  return fillIn(machine, target, cells, location)
}

/** Fallbacks are evaluated beside the other arguments, which they may use. */
function fillIn(
  machine: Machine,
  target: JsonnetFunction,
  cells: (Cell | undefined)[],
  location: Location | undefined,
) {
  const filled = cells as Cell[]
  const env = 'env' in target.code ? target.code.env.inner(filled) : undefined
  machine.spend(target.parameters.list.length)
  target.parameters.list.forEach(({ name, fallback }, index) => {
    if (cells[index] !== undefined) return
    if (!fallback) throw machine.fail(`Missing argument: ${name}`, location)
    // a function of the library has constants as defaults, which use no environment
    filled[index] = new Thunk(fallback, env ?? new Env(machine, null, [], null, 0))
  })
  return filled
}

/** `tailstrict`: arguments are evaluated before the call. */
export function forceAll(cells: readonly Cell[]): void {
  for (const cell of cells) force(cell)
}

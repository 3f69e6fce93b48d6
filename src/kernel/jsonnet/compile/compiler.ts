import { JsonnetError, type Location } from '../errors.ts'
import type { Bind, Node, Parameter as ParameterNode } from '../syntax/ast.ts'
import { type Body, type Cell, type Env, force, JsonnetFunction, Parameters, Thunk, type Value } from '../values.ts'
import type { Scope } from './scope.ts'

export type Code = (env: Env) => Value
export type CellCode = (env: Env) => Cell

/**
 * Turns an expression into a function.
 *
 * @param tail its value is that of the function around it
 */
export type Compile = (node: Node, scope: Scope, tail?: boolean) => Code

export const staticError = (reason: string, location: Location) => new JsonnetError('static', reason, location)

export const bodyOf = (compile: Compile, node: Node, scope: Scope, tail = false): Body => ({
  run: compile(node, scope, tail),
  height: node.height,
})

export function variable(name: string, scope: Scope, location: Location): CellCode {
  const found = scope.find(name)
  if (!found) throw staticError(`Unknown variable: ${name}`, location)
  const { out, index } = found
  if (out === 0) return (env) => env.cells[index]!
  if (out === 1) return (env) => env.parent!.cells[index]!
  return (env) => {
    let at = env
    for (let left = out; left > 0; left -= 1) at = at.parent!
    return at.cells[index]!
  }
}

/** What is handed on without being evaluated: an argument, an element. */
export function delayed(compile: Compile, node: Node, scope: Scope): CellCode {
  if (node.type === 'variable') return variable(node.name, scope, node.location)
  return delayedBind(compile, node, scope)
}

/** The same of a local, whose neighbours may not be there yet. */
function delayedBind(compile: Compile, node: Node, scope: Scope): CellCode {
  if (node.type === 'literal') return () => node.value
  if (node.type === 'function') return compileFunction(compile, node, scope)
  const body = bodyOf(compile, node, scope)
  return (env) => new Thunk(body, env)
}

export function compileFunction(
  compile: Compile,
  node: { parameters: ParameterNode[]; body: Node },
  scope: Scope,
): (env: Env) => JsonnetFunction {
  const inner = scope.inner(node.parameters.map(({ name }) => name))
  const parameters = new Parameters(
    node.parameters.map(({ name, fallback }) => ({ name, fallback: fallback && bodyOf(compile, fallback, inner) })),
  )
  const body = bodyOf(compile, node.body, inner, true)
  return (env) => new JsonnetFunction(parameters, { body, env })
}

export function compileLocal(compile: Compile, binds: Bind[], body: Node, scope: Scope, tail: boolean): Code {
  const inner = scope.inner(binds.map(({ name }) => name))
  const values = binds.map(({ value }) => delayedBind(compile, value, inner))
  const rest = compile(body, inner, tail)
  return (env) => {
    env.machine.spend(values.length)
    const cells: Cell[] = []
    const around = env.inner(cells)
    for (const value of values) cells.push(value(around))
    return rest(around)
  }
}

export function compileVariable(name: string, scope: Scope, location: Location): Code {
  const cell = variable(name, scope, location)
  return (env) => force(cell(env))
}

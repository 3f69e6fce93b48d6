import { bindArguments, callFunction, forceAll } from '../calls.ts'
import type { Location } from '../errors.ts'
import type { Machine } from '../machine.ts'
import { getField } from '../objects.ts'
import { wrongType } from '../operators.ts'
import { slice } from '../slice.ts'
import { inLibrary } from '../std/index.ts'
import type { Node } from '../syntax/ast.ts'
import { pointAt, textLength } from '../text.ts'
import { force, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from '../values.ts'
import { type Code, type Compile, delayed } from './compiler.ts'
import type { Scope } from './scope.ts'

export function compileIndex(compile: Compile, node: Node & { type: 'index' }, scope: Scope): Code {
  const target = compile(node.target, scope)
  const key = compile(node.key, scope)
  const { location } = node.key
  const { target: of, key: name } = node
  if (of.type === 'variable' && of.name === 'std' && name.type === 'literal' && typeof name.value === 'string')
    if (scope.find('std')?.outermost && !inLibrary(name.value))
      scope.doubts.push({ reason: `std.${name.value} does not exist`, location })
  return (env) => access(env.machine, target(env), key(env), location)
}

function access(machine: Machine, target: Value, key: Value, location: Location): Value {
  machine.spend(1)
  if (target instanceof JsonnetObject) {
    if (typeof key !== 'string') throw wrongType(machine, key, 'string', location)
    return getField(machine, target, key, location)
  }
  if (!(target instanceof JsonnetArray) && typeof target !== 'string')
    throw machine.fail(`Value non indexable: ${typeOf(target)}`, location)
  if (typeof key !== 'number') throw wrongType(machine, key, 'number', location)
  const index = Math.trunc(key)
  const cell = typeof target === 'string' ? pointAt(machine, target, index) : target.items[index]
  if (cell !== undefined) return force(cell)
  const length = typeof target === 'string' ? textLength(machine, target) : target.items.length
  throw machine.fail(`Index ${index} out of bounds, not within [0, ${length})`, location)
}

export function compileSlice(compile: Compile, node: Node & { type: 'slice' }, scope: Scope): Code {
  const target = compile(node.target, scope)
  const [from, to, step] = [node.from, node.to, node.step].map((part) => part && compile(part, scope))
  return (env) =>
    slice(env.machine, target(env), [from?.(env) ?? null, to?.(env) ?? null, step?.(env) ?? null], node.location)
}

export function compileCall(compile: Compile, node: Node & { type: 'call' }, scope: Scope, tail: boolean): Code {
  const target = compile(node.target, scope)
  const args = node.arguments.map(({ name, value }) => ({ name, cell: delayed(compile, value, scope) }))
  const positional = args.filter(({ name }) => name === undefined).map(({ cell }) => cell)
  const named = args.filter(({ name }) => name !== undefined) as { name: string; cell: (typeof args)[0]['cell'] }[]
  const { location, strict } = node
  return (env) => {
    const { machine } = env
    machine.spend(1 + args.length)
    const called = target(env)
    if (!(called instanceof JsonnetFunction)) throw wrongType(machine, called, 'function', location)
    const bound = bindArguments(
      machine,
      called,
      positional.map((cell) => cell(env)),
      named.map(({ name, cell }) => ({ name, cell: cell(env) })),
      location,
    )
    if (!strict) return callFunction(machine, called, bound, location)
    forceAll(bound)
    if (!tail) return callFunction(machine, called, bound, location)
    machine.tail = { target: called, args: bound }
    return null
  }
}

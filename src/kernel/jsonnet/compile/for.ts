import { wrongType } from '../operators.ts'
import type { ForSpec, Node } from '../syntax/ast.ts'
import { type Cell, type Env, type Field, JsonnetArray, JsonnetObject } from '../values.ts'
import { type Code, type Compile, delayed } from './compiler.ts'
import { bodiesOfLocals, planField, putField } from './objects.ts'
import type { Scope } from './scope.ts'

/** Runs once for each combination that the conditions let through, in an environment that has the variables. */
type Loop = (env: Env, visit: (env: Env) => void) => void

/** @returns the loops and the scope inside the last one */
function compileLoops(compile: Compile, specs: ForSpec[], outer: Scope): { loop: Loop; scope: Scope } {
  let scope = outer
  const levels = specs.map(({ variable, list, conditions }) => {
    const items = compile(list, scope)
    scope = scope.inner([variable])
    const inside = scope
    return {
      items,
      location: list.location,
      conditions: conditions.map((node) => ({ node, test: compile(node, inside) })),
    }
  })
  const loop = levels.reduceRight<Loop>(
    (next, { items, location, conditions }) =>
      (env, visit) => {
        const list = items(env)
        if (!(list instanceof JsonnetArray)) throw wrongType(env.machine, list, 'array', location)
        for (const item of list.items) {
          env.machine.spend(3)
          const inner = env.inner([item])
          if (conditions.every((condition) => holds(condition, inner))) next(inner, visit)
        }
      },
    (env, visit) => visit(env),
  )
  return { loop, scope }
}

function holds({ node, test }: { node: Node; test: Code }, env: Env): boolean {
  const answer = test(env)
  if (typeof answer !== 'boolean') throw wrongType(env.machine, answer, 'boolean', node.location)
  return answer
}

export function compileArrayFor(compile: Compile, node: Node & { type: 'arrayFor' }, scope: Scope): Code {
  const { loop, scope: inner } = compileLoops(compile, node.specs, scope)
  const item = delayed(compile, node.item, inner)
  return (env) => {
    const items: Cell[] = []
    loop(env, (at) => {
      env.machine.spendItems(items.length >= env.machine.limits.size ? items.length + 1 : 1)
      items.push(item(at))
    })
    return new JsonnetArray(items)
  }
}

/** Each field keeps the environment of its turn. */
export function compileObjectFor(compile: Compile, node: Node & { type: 'objectFor' }, scope: Scope): Code {
  const { loop, scope: inner } = compileLoops(compile, node.specs, scope)
  const within = inner.object(node.locals.map(({ name }) => name))
  const plan = planField(compile, node.field, inner, within)
  const locals = bodiesOfLocals(compile, node.locals, inner, within)
  return (env) => {
    const fields = new Map<string, Field>()
    loop(env, (at) => putField(env.machine, fields, plan, at, at))
    return new JsonnetObject([{ fields, env, locals, asserts: [] }])
  }
}

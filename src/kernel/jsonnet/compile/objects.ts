import type { Location } from '../errors.ts'
import type { Machine } from '../machine.ts'
import { toText } from '../manifest.ts'
import { getField, hasField } from '../objects.ts'
import { add, wrongType } from '../operators.ts'
import type { AssertNode, Bind, FieldNode, Node } from '../syntax/ast.ts'
import { quote } from '../text.ts'
import { type Body, type Env, type Field, JsonnetObject, typeOf } from '../values.ts'
import { bodyOf, type Code, type Compile } from './compiler.ts'
import type { Scope } from './scope.ts'

export function compileObject(compile: Compile, node: Node & { type: 'object' }, scope: Scope): Code {
  const { fields, locals, asserts } = node.body
  const inner = scope.object(locals.map(({ name }) => name))
  const plans = fields.map((field) => planField(compile, field, scope, inner))
  const localBodies = bodiesOfLocals(compile, locals, scope, inner)
  const assertBodies = asserts.map((assert) => assertBody(compile, assert, inner))
  return (env) => {
    env.machine.spend(plans.length + 1)
    const made = new Map<string, Field>()
    for (const plan of plans) putField(env.machine, made, plan, env, undefined)
    return new JsonnetObject([{ fields: made, env, locals: localBodies, asserts: assertBodies }])
  }
}

/** A field before its name is known. */
export interface FieldPlan {
  name: Code
  location: Location
  visibility: Field['visibility']
  body: (name: string) => Body
}

export function planField(compile: Compile, field: FieldNode, outer: Scope, inner: Scope): FieldPlan {
  const body = bodyOf(compile, field.value, inner)
  const { location } = field.name
  return {
    name: compile(field.name, outer),
    location,
    visibility: field.visibility,
    body: field.plus ? (name) => addToSuper(body, name, field.value.location) : () => body,
  }
}

/** `name+: value`: what lies below comes first, where there is something. */
function addToSuper(body: Body, name: string, location: Location): Body {
  return {
    height: body.height + 4,
    run: (env) => {
      const right = body.run(env)
      const below = env.layer - 1
      env.machine.spend(env.layer >> 3)
      if (!hasField(env.self!, name, below)) return right
      return add(env.machine, getField(env.machine, env.self!, name, location, below), right, location)
    },
  }
}

/** @param own the environment of this field, where it has another than its layer */
export function putField(
  machine: Machine,
  fields: Map<string, Field>,
  plan: FieldPlan,
  env: Env,
  own: Env | undefined,
) {
  const name = plan.name(env)
  if (name === null) return
  if (typeof name !== 'string') throw machine.fail(`Field name must be string, got ${typeOf(name)}`, plan.location)
  if (fields.has(name)) throw machine.fail(`Duplicate field name: ${quote(name)}`, plan.location)
  fields.set(name, { visibility: plan.visibility, value: { body: plan.body(name), env: own } })
}

/** In the order of the scope's names: `$` comes last, where it is one of them. */
export function bodiesOfLocals(compile: Compile, locals: Bind[], outer: Scope, inner: Scope): Body[] {
  const bodies = locals.map(({ value }) => bodyOf(compile, value, inner))
  return outer.inObject ? bodies : [...bodies, { height: 1, run: (env) => env.self }]
}

function assertBody(compile: Compile, { condition, message, location }: AssertNode, scope: Scope): Body {
  const test = compile(condition, scope)
  const text: Code = message ? compile(message, scope) : () => 'Object assertion failed.'
  return {
    height: Math.max(condition.height, message?.height ?? 0) + 1,
    run: (env) => {
      const { machine } = env
      const holds = test(env)
      if (typeof holds !== 'boolean') throw wrongType(machine, holds, 'boolean', location)
      if (!holds) throw machine.fail(toText(machine, text(env)), location)
      return true
    },
  }
}

import { toText } from '../manifest.ts'
import { getField, hasField } from '../objects.ts'
import { wrongType } from '../operators.ts'
import type { Node } from '../syntax/ast.ts'
import { JsonnetArray } from '../values.ts'
import { compileCall, compileIndex, compileSlice } from './access.ts'
import {
  type Code,
  type Compile,
  compileFunction,
  compileLocal,
  compileVariable,
  delayed,
  staticError,
} from './compiler.ts'
import { compileArrayFor, compileObjectFor } from './for.ts'
import { compileObject } from './objects.ts'
import { compileBinary, compileUnary } from './operations.ts'
import type { Scope } from './scope.ts'

/** @throws JsonnetError (static) at unknown variables, and at `self`, `super` and `$` where there is no object */
export const compile: Compile = (node, scope, tail = false): Code => {
  switch (node.type) {
    case 'literal':
      return () => node.value
    case 'variable':
      return compileVariable(node.name, scope, node.location)
    case 'dollar':
      if (!scope.find('$')) throw staticError('No top-level object found.', node.location)
      return compileVariable('$', scope, node.location)
    case 'self':
      if (!scope.inObject) throw staticError("Can't use self outside of an object.", node.location)
      return (env) => env.self
    case 'super':
    case 'inSuper':
      return compileSuper(node, scope)
    case 'array': {
      const items = node.items.map((item) => delayed(compile, item, scope))
      return (env) => {
        env.machine.spendItems(items.length)
        return new JsonnetArray(items.map((item) => item(env)))
      }
    }
    case 'arrayFor':
      return compileArrayFor(compile, node, scope)
    case 'object':
      return compileObject(compile, node, scope)
    case 'objectFor':
      return compileObjectFor(compile, node, scope)
    case 'index':
      return compileIndex(compile, node, scope)
    case 'slice':
      return compileSlice(compile, node, scope)
    case 'call':
      return compileCall(compile, node, scope, tail)
    case 'unary':
      return compileUnary(compile, node, scope)
    case 'binary':
      return compileBinary(compile, node, scope)
    case 'if':
      return compileIf(node.condition, compile(node.then, scope, tail), elseOf(node.otherwise, scope, tail), scope)
    case 'local':
      return compileLocal(compile, node.binds, node.body, scope, tail)
    case 'function':
      return compileFunction(compile, node, scope)
    case 'assert':
      return compileIf(
        node.condition,
        compile(node.rest, scope, tail),
        compileError(node.message, 'Assertion failed', node, scope),
        scope,
      )
    case 'error':
      return compileError(node.message, '', node, scope)
    case 'import':
      scope.doubts.push({ reason: `${node.file} cannot be imported`, location: node.location })
      return (env) => {
        throw env.machine.fail(`import not available ${node.file}: a program stands alone`, node.location)
      }
  }
}

const elseOf = (node: Node | undefined, scope: Scope, tail: boolean): Code =>
  node ? compile(node, scope, tail) : () => null

function compileIf(condition: Node, then: Code, otherwise: Code, scope: Scope): Code {
  const test = compile(condition, scope)
  return (env) => {
    const answer = test(env)
    if (typeof answer !== 'boolean') throw wrongType(env.machine, answer, 'boolean', condition.location)
    return answer ? then(env) : otherwise(env)
  }
}

function compileError(message: Node | undefined, fallback: string, { location }: Node, scope: Scope): Code {
  const text: Code = message ? compile(message, scope) : () => fallback
  return (env) => {
    throw env.machine.fail(toText(env.machine, text(env)), location)
  }
}

function compileSuper(node: Node & { type: 'super' | 'inSuper' }, scope: Scope): Code {
  const { type, location } = node
  if (!scope.inObject) throw staticError("Can't use super outside of an object.", location)
  const name = compile(node.name, scope)
  return (env) => {
    const field = name(env)
    if (typeof field !== 'string') throw wrongType(env.machine, field, 'string', location)
    const below = env.layer - 1
    env.machine.spend(env.layer >> 3)
    if (type === 'inSuper') return hasField(env.self!, field, below)
    return getField(env.machine, env.self!, field, location, below)
  }
}

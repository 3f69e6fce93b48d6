import type { Location } from '../errors.ts'
import type { Machine } from '../machine.ts'
import { hasField } from '../objects.ts'
import { add, calculate, compare, complement, equals, wrongType } from '../operators.ts'
import { modulo } from '../std/format.ts'
import type { BinaryOperator, Node } from '../syntax/ast.ts'
import { JsonnetObject, type Value } from '../values.ts'
import type { Code, Compile } from './compiler.ts'
import type { Scope } from './scope.ts'

export function compileUnary(compile: Compile, node: Node & { type: 'unary' }, scope: Scope): Code {
  const operand = compile(node.operand, scope)
  const { operator, location } = node
  return (env) => {
    const value = operand(env)
    if (operator === '!') {
      if (typeof value !== 'boolean') throw wrongType(env.machine, value, 'boolean', location)
      return !value
    }
    if (typeof value !== 'number') throw wrongType(env.machine, value, 'number', location)
    return operator === '-' ? -value : operator === '~' ? complement(value) : value
  }
}

export function compileBinary(compile: Compile, node: Node & { type: 'binary' }, scope: Scope): Code {
  const left = compile(node.left, scope)
  const right = compile(node.right, scope)
  const { operator, location } = node
  if (operator === '&&' || operator === '||') {
    const decided = operator === '||'
    return (env) => {
      const first = boolean(env.machine, left(env), location)
      return first === decided ? first : boolean(env.machine, right(env), location)
    }
  }
  const operation = OPERATIONS[operator]
  return (env) => {
    const a = left(env)
    const b = right(env)
    env.machine.spend(1)
    return operation(env.machine, a, b, location)
  }
}

function boolean(machine: Machine, value: Value, location: Location): boolean {
  if (typeof value !== 'boolean') throw wrongType(machine, value, 'boolean', location)
  return value
}

type Operation = (machine: Machine, left: Value, right: Value, location: Location) => Value

const arithmetic =
  (operator: Parameters<typeof calculate>[1]): Operation =>
  (machine, left, right, location) =>
    calculate(machine, operator, left, right, location)

const OPERATIONS: Readonly<Record<Exclude<BinaryOperator, '&&' | '||'>, Operation>> = {
  '+': add,
  '-': arithmetic('-'),
  '*': arithmetic('*'),
  '/': arithmetic('/'),
  '<<': arithmetic('<<'),
  '>>': arithmetic('>>'),
  '&': arithmetic('&'),
  '^': arithmetic('^'),
  '|': arithmetic('|'),
  '%': modulo,
  '<': (machine, left, right, location) => compare(machine, left, right, location) < 0,
  '<=': (machine, left, right, location) => compare(machine, left, right, location) <= 0,
  '>': (machine, left, right, location) => compare(machine, left, right, location) > 0,
  '>=': (machine, left, right, location) => compare(machine, left, right, location) >= 0,
  '==': equals,
  '!=': (machine, left, right, location) => !equals(machine, left, right, location),
  in: (machine, name, object, location) => {
    if (!(object instanceof JsonnetObject)) throw wrongType(machine, object, 'object', location)
    if (typeof name !== 'string') throw wrongType(machine, name, 'string', location)
    machine.spend(object.layers.length >> 3)
    return hasField(object, name)
  },
}

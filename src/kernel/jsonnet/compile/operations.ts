import type { Place } from '../errors.ts'
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
  const { operator, place } = node
  return (env) => {
    const value = operand(env)
    if (operator === '!') {
      if (typeof value !== 'boolean') throw wrongType(env.machine, value, 'boolean', place)
      return !value
    }
    if (typeof value !== 'number') throw wrongType(env.machine, value, 'number', place)
    return operator === '-' ? -value : operator === '~' ? complement(value) : value
  }
}

export function compileBinary(compile: Compile, node: Node & { type: 'binary' }, scope: Scope): Code {
  const left = compile(node.left, scope)
  const right = compile(node.right, scope)
  const { operator, place } = node
  if (operator === '&&' || operator === '||') {
    const decided = operator === '||'
    return (env) => {
      const first = boolean(env.machine, left(env), place)
      return first === decided ? first : boolean(env.machine, right(env), place)
    }
  }
  const operation = OPERATIONS[operator]
  return (env) => {
    const a = left(env)
    const b = right(env)
    env.machine.spend(1)
    return operation(env.machine, a, b, place)
  }
}

function boolean(machine: Machine, value: Value, place: Place): boolean {
  if (typeof value !== 'boolean') throw wrongType(machine, value, 'boolean', place)
  return value
}

type Operation = (machine: Machine, left: Value, right: Value, place: Place) => Value

const arithmetic =
  (operator: Parameters<typeof calculate>[1]): Operation =>
  (machine, left, right, place) =>
    calculate(machine, operator, left, right, place)

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
  '<': (machine, left, right, place) => compare(machine, left, right, place) < 0,
  '<=': (machine, left, right, place) => compare(machine, left, right, place) <= 0,
  '>': (machine, left, right, place) => compare(machine, left, right, place) > 0,
  '>=': (machine, left, right, place) => compare(machine, left, right, place) >= 0,
  '==': equals,
  '!=': (machine, left, right, place) => !equals(machine, left, right, place),
  in: (machine, name, object, place) => {
    if (!(object instanceof JsonnetObject)) throw wrongType(machine, object, 'object', place)
    if (typeof name !== 'string') throw wrongType(machine, name, 'string', place)
    machine.spend(object.layers.length >> 3)
    return hasField(object, name)
  },
}

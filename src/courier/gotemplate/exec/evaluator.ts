import type { Budget } from '../budget.ts'
import { ExecError, FunctionError, type Location } from '../errors.ts'
import { type Func, RAW, type Runtime } from '../functions/signature.ts'
import type { Command, Expression, NumberLiteral, Pipe } from '../parse/nodes.ts'
import { ANY, Dict, Headers, Int, isTrue, Struct, Thing, typeOf, type Value } from '../values.ts'
import { headerMethod } from './headers.ts'
import { fit, zero } from './types.ts'

/** Nothing came from an earlier command: not even a missing value. */
const NOTHING = Symbol('nothing')
type Final = Value | typeof NOTHING

export interface Variable {
  name: string
  value: Value
}

/** Carries out what stands between the braces. */
export abstract class Evaluator {
  protected variables: Variable[] = []
  /** What is carried out, for errors. */
  protected at: Location = { template: '', line: 0 }
  protected readonly budget: Budget
  private readonly runtime: Runtime
  private readonly functions: ReadonlyMap<string, Func>

  constructor(functions: ReadonlyMap<string, Func>, runtime: Runtime) {
    this.functions = functions
    this.runtime = runtime
    this.budget = runtime.budget
  }

  protected pipeline(dot: Value, pipe: Pipe): Value {
    this.at = pipe.at
    let value: Final = NOTHING
    for (const command of pipe.commands) {
      this.budget.step()
      value = this.command(dot, command, value)
      if (value === null) value = undefined
    }
    const result = value === NOTHING ? undefined : value
    for (const name of pipe.variables) {
      if (pipe.assigns) this.assign(name, result)
      else this.variables.push({ name, value: result })
    }
    return result
  }

  protected assign(name: string, value: Value): void {
    this.variable(name).value = value
  }

  private variable(name: string): Variable {
    const found = this.variables.findLast((variable) => variable.name === name)
    return found ?? this.fail(`variable ${name} is not defined`)
  }

  private command(dot: Value, command: Command, final: Final): Value {
    const first = command.args[0]!
    const args = command.args.slice(1)
    switch (first.type) {
      case 'field':
        this.at = first.at
        return this.members(dot, dot, first.names, args, final)
      case 'chain':
        this.at = first.at
        return this.members(dot, this.chained(dot, first.of), first.names, args, final)
      case 'variable': {
        this.at = first.at
        const { value } = this.variable(first.name)
        if (first.names.length > 0) return this.members(dot, value, first.names, args, final)
        this.refuseArguments(args, final)
        return value
      }
      case 'function':
        this.at = first.at
        return this.call(dot, first.name, command.at, args, final)
      case 'pipe':
        this.refuseArguments(args, final)
        return this.pipeline(dot, first)
    }
    this.at = first.at
    this.refuseArguments(args, final)
    if (first.type === 'nil') this.fail('nil is no command')
    return first.type === 'dot' ? dot : this.constant(first)
  }

  private refuseArguments(args: readonly Expression[], final: Final): void {
    if (args.length > 0 || final !== NOTHING) this.fail('arguments for what is no function')
  }

  private chained(dot: Value, of: Expression): Value {
    if (of.type === 'nil') this.fail('a member of nil')
    return this.argument(dot, RAW, of)
  }

  /** The value of a literal where its type is free. */
  private constant(literal: Extract<Expression, { type: 'bool' | 'string' | 'number' }>): Value {
    if (literal.type !== 'number') return literal.value
    if (literal.looksFloat && literal.float !== undefined) return literal.float
    return literal.int === undefined ? this.fail('the number does not fit into an int') : new Int(literal.int)
  }

  private members(dot: Value, of: Value, names: readonly string[], args: readonly Expression[], final: Final): Value {
    let value = of
    for (const name of names.slice(0, -1)) value = this.member(dot, name, value, [], NOTHING)
    return this.member(dot, names.at(-1)!, value, args, final)
  }

  private member(dot: Value, name: string, of: Value, args: readonly Expression[], final: Final): Value {
    if (of === undefined) return undefined
    if (of === null) return this.fail(`.${name} of null`)
    const method = of instanceof Thing ? of.method(name) : of instanceof Headers ? headerMethod(of, name) : undefined
    if (method) return this.apply(dot, name, { ...method, variadic: false }, this.at, args, final)
    const value = of instanceof Dict ? of.entries.get(name) : of instanceof Struct ? of.fields.get(name) : undefined
    if (!(of instanceof Dict) && !(of instanceof Struct && of.fields.has(name)))
      this.fail(`${typeOf(of)} has no member .${name}`)
    if (args.length > 0 || final !== NOTHING) this.fail(`.${name} takes no arguments`)
    return value
  }

  private call(dot: Value, name: string, at: Location, args: readonly Expression[], final: Final): Value {
    const known = this.functions.get(name)
    if (!known) return this.fail(`function ${JSON.stringify(name)} is not defined`)
    return this.apply(dot, name, known, at, args, final)
  }

  private apply(dot: Value, name: string, known: Func, at: Location, args: readonly Expression[], final: Final): Value {
    const given = args.length + (final === NOTHING ? 0 : 1)
    const fixed = known.params.length - (known.variadic ? 1 : 0)
    if (given < fixed || (!known.variadic && given > fixed))
      this.fail(`${name} wants ${known.variadic ? 'at least ' : ''}${fixed} arguments, got ${given}`)
    if (name === 'and' || name === 'or') return this.andOr(dot, name, args, final)
    const values: Value[] = []
    for (const [i, arg] of args.entries()) values.push(this.argument(dot, this.paramType(known, i), arg))
    if (final !== NOTHING) values.push(this.fitted(final, this.paramType(known, args.length)))
    try {
      this.budget.step()
      return known.call(values, this.runtime)
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error
      this.at = at
      return this.fail(`${name}: ${error.message}`)
    }
  }

  private paramType({ params }: Func, index: number): string {
    return params[Math.min(index, params.length - 1)]!
  }

  /** They evaluate no further than they need, as no other function can. */
  private andOr(dot: Value, name: 'and' | 'or', args: readonly Expression[], final: Final): Value {
    let value: Value
    for (const arg of args) {
      value = this.argument(dot, RAW, arg)
      if (isTrue(value) === (name === 'or')) return value
    }
    return final === NOTHING ? value : final
  }

  private argument(dot: Value, type: string, arg: Expression): Value {
    this.at = arg.at
    switch (arg.type) {
      case 'dot':
        return this.fitted(dot, type)
      case 'nil':
        return this.checked(() => zero(type))
      case 'field':
        return this.fitted(this.members(dot, dot, arg.names, [], NOTHING), type)
      case 'variable': {
        const { value } = this.variable(arg.name)
        return this.fitted(arg.names.length > 0 ? this.members(dot, value, arg.names, [], NOTHING) : value, type)
      }
      case 'pipe':
        return this.fitted(this.pipeline(dot, arg), type)
      case 'function':
        return this.fitted(this.call(dot, arg.name, arg.at, [], NOTHING), type)
      case 'chain':
        return this.fitted(this.members(dot, this.chained(dot, arg.of), arg.names, [], NOTHING), type)
      case 'number':
        return type === ANY || type === RAW ? this.constant(arg) : this.number(arg, type)
    }
    return type === ANY || type === RAW ? arg.value : this.fitted(arg.value, type)
  }

  /** A literal takes the type of its parameter, if its value can be of that type: `2.0` is an int where one is wanted. */
  private number(literal: NumberLiteral, type: string): Value {
    if ((type === 'int' || type === 'int64') && literal.int !== undefined) return new Int(literal.int, type)
    if (type === 'uint32' && literal.uint !== undefined) return new Int(literal.uint, 'uint64')
    if (type === 'float64' && literal.float !== undefined) return literal.float
    return this.fail(`expected ${type}, got a number`)
  }

  private fitted(value: Value, type: string): Value {
    return this.checked(() => fit(value, type))
  }

  private checked(read: () => Value): Value {
    try {
      return read()
    } catch (error) {
      if (error instanceof FunctionError) return this.fail(error.message)
      throw error
    }
  }

  protected fail(reason: string): never {
    throw new ExecError(this.at, reason)
  }
}

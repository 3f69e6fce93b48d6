import { MAX_TEXT } from '../budget.ts'
import { LimitError, OutOfBudget } from '../errors.ts'
import type { Func, Runtime } from '../functions/signature.ts'
import type { Branch, Node } from '../parse/nodes.ts'
import type { Templates } from '../parse/parser.ts'
import { printed } from '../print/value.ts'
import { Dict, Int, isTrue, List, sortedKeys, typeOf, type Value } from '../values.ts'
import { Evaluator, type Variable } from './evaluator.ts'

/** Templates that call each other, as in Go. They use no stack of the machine, so that depth alone costs nothing. */
const MAX_CALLS = 100_000

/** Nodes that are being carried out. */
interface ListFrame {
  nodes: readonly Node[]
  next: number
  dot: Value
  /** Variables that stay when it is done. */
  mark: number
}

/** A `range` in progress, below the frame of its body. */
interface LoopFrame {
  loop: Branch
  items: Iterator<readonly [Value, Value]>
  mark: number
  /** Variables that stay between two rounds. */
  bodyMark: number
}

/** A called template, below the frame of its nodes: the variables of the caller. */
interface CallFrame {
  caller: Variable[]
}

type Frame = ListFrame | LoopFrame | CallFrame

/** One rendering of a set of templates. */
export class Execution extends Evaluator {
  private readonly templates: Templates
  private readonly frames: Frame[] = []
  private readonly output: string[] = []
  private written = 0
  private calls = 0

  constructor(templates: Templates, functions: ReadonlyMap<string, Func>, runtime: Runtime) {
    super(functions, runtime)
    this.templates = templates
  }

  /** @throws ExecError LimitError */
  render(main: string, file: string, data: () => Value): string {
    try {
      this.at = { template: file, line: 1 }
      this.enter(main, data())
      while (this.frames.length > 0) this.advance(this.frames.at(-1)!)
      return this.output.join('')
    } catch (error) {
      if (error instanceof OutOfBudget) throw new LimitError(this.at, error.message)
      throw error
    }
  }

  private advance(frame: Frame): void {
    this.budget.step()
    if ('caller' in frame) {
      this.frames.pop()
      this.variables = frame.caller
      this.calls--
    } else if ('loop' in frame) this.nextRound(frame)
    else {
      const node = frame.nodes[frame.next++]
      if (node) this.node(node, frame.dot)
      else {
        this.frames.pop()
        this.variables.length = frame.mark
      }
    }
  }

  private node(node: Node, dot: Value): void {
    this.at = node.at
    switch (node.type) {
      case 'text':
        return this.write(node.text)
      case 'action': {
        const value = this.pipeline(dot, node.pipe)
        this.at = node.at
        return node.pipe.variables.length > 0 ? undefined : this.write(printed(value, this.budget))
      }
      case 'template':
        if (!this.templates.has(node.name)) this.fail(`template ${JSON.stringify(node.name)} is not defined`)
        return this.enter(node.name, node.pipe ? this.pipeline(dot, node.pipe) : undefined)
      case 'break':
      case 'continue':
        return this.leaveRound(node.type)
      case 'range':
        return this.range(node, dot)
    }
    const mark = this.variables.length
    const value = this.pipeline(dot, node.pipe)
    const chosen = isTrue(value) ? node.body : node.otherwise
    const inner = node.type === 'with' && chosen === node.body ? value : dot
    this.frames.push({ nodes: chosen ?? [], next: 0, dot: inner, mark })
  }

  private enter(name: string, dot: Value): void {
    if (this.calls++ > MAX_CALLS) this.fail(`templates call each other more than ${MAX_CALLS} deep`)
    const nodes = this.templates.get(name)
    if (!nodes) this.fail(`template ${JSON.stringify(name)} is not defined`)
    this.frames.push({ caller: this.variables }, { nodes, next: 0, dot, mark: 1 })
    this.variables = [{ name: '$', value: dot }]
  }

  private range(node: Branch, dot: Value): void {
    const mark = this.variables.length
    const value = this.pipeline(dot, node.pipe)
    const items = this.items(value, node.pipe.variables.length)
    if (items) {
      const frame = { loop: node, items, mark, bodyMark: this.variables.length }
      this.frames.push(frame)
    } else this.frames.push({ nodes: node.otherwise ?? [], next: 0, dot, mark })
  }

  /** Pairs of key and element; undefined where there is nothing to go over. */
  private items(value: Value, variables: number): Iterator<readonly [Value, Value]> | undefined {
    if (value === undefined || value === null) return undefined
    if (value instanceof Int) {
      if (variables > 1) this.fail('a range over a number has one variable')
      return value.n > 0n ? countTo(value.n, value.type) : undefined
    }
    if (value instanceof List) return value.items.length > 0 ? pairs(value) : undefined
    if (value instanceof Dict) {
      this.budget.step(value.entries.size)
      return value.entries.size > 0 ? entries(value) : undefined
    }
    return this.fail(`a range cannot go over ${typeOf(value)}`)
  }

  private nextRound(frame: LoopFrame): void {
    const { value: pair, done } = frame.items.next()
    this.variables.length = done ? frame.mark : frame.bodyMark
    if (done) {
      this.frames.pop()
      return
    }
    const { variables, assigns } = frame.loop.pipe
    const [key, element] = pair
    for (const [i, name] of variables.entries()) {
      const value = i === variables.length - 1 ? element : key
      if (assigns) this.assign(name, value)
      else this.variables[frame.bodyMark - variables.length + i]!.value = value
    }
    this.frames.push({ nodes: frame.loop.body, next: 0, dot: element, mark: frame.bodyMark })
  }

  private leaveRound(how: 'break' | 'continue'): void {
    for (let frame = this.frames.at(-1); frame && !('loop' in frame); frame = this.frames.at(-1)) this.frames.pop()
    const loop = this.frames.at(-1) as LoopFrame
    if (how === 'continue') return
    this.frames.pop()
    this.variables.length = loop.mark
  }

  private write(text: string): void {
    this.written += text.length
    this.budget.text(text.length)
    if (this.written > MAX_TEXT) throw new OutOfBudget(`an output longer than ${MAX_TEXT} characters`)
    this.output.push(text)
  }
}

function* countTo(end: bigint, type: Int['type']): Generator<readonly [Value, Value]> {
  for (let i = 0n; i < end; i++) yield [undefined, new Int(i, type)]
}

function* pairs(list: List): Generator<readonly [Value, Value]> {
  for (const [i, item] of list.items.entries()) yield [new Int(i), item]
}

function* entries(dict: Dict): Generator<readonly [Value, Value]> {
  for (const key of sortedKeys(dict)) yield [key, dict.entries.get(key)]
}

import type { Budget } from '../budget.ts'
import { ExecError, LimitError, type Location, OutOfBudget } from '../errors.ts'
import type { Branch, Node } from '../parse/nodes.ts'
import type { Templates } from '../parse/parser.ts'
import { type Context, EscapeError, isSame, join, keyOf, nudge, TEXT } from './context.ts'
import { escapersFor, withEscapers } from './pipeline.ts'
import { escapeText } from './text.ts'

/** Templates that call each other, as far as their contexts are followed. */
const MAX_CALLS = 200

type Escaped<T> = readonly [Context, T]

/** Contexts in which a loop is left or begun anew. */
interface Loop {
  ends: { context: Context; at: Location }[]
}

/**
 * Appends to each value of a page the escapers that it needs there. A template that is called in several contexts is
 * copied for each. Templates that are never called are left out.
 *
 * @throws ExecError where no value would be safe
 */
export function escapeTemplates(
  templates: Templates,
  name: string,
  budget: Budget,
): { templates: Templates; main: string } {
  const escaper = new TemplateEscaper(templates, budget)
  try {
    const [after, main] = escaper.template(TEXT, name)
    if (after.state !== 'text')
      escaper.refuse(`the page ends inside of a tag, an attribute, a script or a style (${after.state})`)
    return { templates: escaper.escaped, main }
  } catch (error) {
    if (error instanceof EscapeError) throw new ExecError(escaper.at, error.message)
    if (error instanceof OutOfBudget) throw new LimitError(escaper.at, error.message)
    throw error
  }
}

class TemplateEscaper {
  at: Location
  /** By their name and the context they are called in. */
  escaped: Templates = new Map()
  private after = new Map<string, Context>()
  private called = new Set<string>()
  private loops: Loop[] = []
  private depth = 0
  private readonly templates: Templates
  private readonly budget: Budget

  constructor(templates: Templates, budget: Budget) {
    this.templates = templates
    this.budget = budget
    this.at = { template: [...templates.keys()][0] ?? '', line: 1 }
  }

  refuse(reason: string): never {
    throw new EscapeError(reason)
  }

  template(context: Context, name: string): Escaped<string> {
    const key = context.state === 'text' ? name : `${name}\0${keyOf(context)}`
    this.called.add(key)
    const known = this.after.get(key)
    if (known) return [known, key]
    const nodes = this.templates.get(name)
    if (!nodes) return this.refuse(`template ${JSON.stringify(name)} is not defined`)
    if (++this.depth > MAX_CALLS)
      throw new OutOfBudget(`templates call each other more than ${MAX_CALLS} deep in a page`)
    const after = this.fixedPoint(context, key, nodes)
    this.depth--
    return [after, key]
  }

  /** A template that calls itself must end in the context that it assumes of itself. */
  private fixedPoint(context: Context, key: string, nodes: readonly Node[]): Context {
    const first = this.attempt(context, key, nodes)
    if (first.holds) return first.context
    const second = this.attempt(first.context, key, nodes)
    if (second.holds) return second.context
    return this.refuse('a template that calls itself ends in another context than it begins in')
  }

  private attempt(context: Context, key: string, nodes: readonly Node[]): { context: Context; holds: boolean } {
    this.budget.step(this.after.size + 1)
    const outer = { escaped: this.escaped, after: this.after, called: this.called, loops: this.loops }
    outer.after.set(key, context)
    this.escaped = new Map()
    this.after = new Map(outer.after)
    this.called = new Set()
    this.loops = []
    const [after, list] = this.list(context, nodes)
    const inner = { escaped: this.escaped, after: this.after, called: this.called }
    Object.assign(this, outer)
    const holds = !inner.called.has(key) || isSame(context, after)
    if (holds) {
      for (const [name, one] of inner.escaped) this.escaped.set(name, one)
      for (const [name, one] of inner.after) this.after.set(name, one)
      for (const name of inner.called) this.called.add(name)
      this.escaped.set(key, list)
      this.after.set(key, after)
    }
    return { context: after, holds }
  }

  private list(before: Context, nodes: readonly Node[]): Escaped<Node[]> {
    const out: Node[] = []
    let context = before
    for (const node of nodes) {
      const [next, escaped] = this.node(context, node)
      out.push(escaped)
      context = next
      if (context.state === 'dead') break
    }
    return [context, out]
  }

  private node(context: Context, node: Node): Escaped<Node> {
    this.budget.step()
    this.at = node.at
    switch (node.type) {
      case 'text': {
        const { context: next, text } = escapeText(context, node.text)
        return [next, { ...node, text }]
      }
      case 'action': {
        if (node.pipe.variables.length > 0) return [context, node]
        const { context: next, escapers } = escapersFor(nudge(context), node.pipe)
        return [next, { ...node, pipe: withEscapers(node.pipe, escapers) }]
      }
      case 'template': {
        const [next, name] = this.template(context, node.name)
        return [next, { ...node, name }]
      }
      case 'break':
      case 'continue':
        this.loops.at(-1)!.ends.push({ context, at: node.at })
        return [{ ...context, state: 'dead' }, node]
      case 'range':
        return this.range(context, node)
    }
    const [after, body] = this.list(context, node.body)
    return this.otherwise(context, after, { ...node, body })
  }

  private otherwise(before: Context, afterBody: Context, branch: Branch): Escaped<Branch> {
    const [after, otherwise] = this.list(before, branch.otherwise ?? [])
    const context = this.joined(afterBody, after, branch.at, branch.type)
    return [context, branch.otherwise ? { ...branch, otherwise } : branch]
  }

  /** The second round begins where the first one ended, so both must end alike. */
  private range(context: Context, node: Branch): Escaped<Branch> {
    const [after, body] = this.round(context, node)
    let joined = after
    if (!isSame(after, context) && after.state !== 'dead') {
      const outer = { escaped: this.escaped, after: this.after, called: this.called }
      Object.assign(this, { escaped: new Map(), after: new Map(outer.after), called: new Set() })
      const again = this.reentered(after, node)
      Object.assign(this, outer)
      joined = this.joined(after, again, node.at, 'range')
    }
    return this.otherwise(context, joined, { ...node, body })
  }

  private reentered(context: Context, node: Branch): Context {
    try {
      return this.round(context, node)[0]
    } catch (error) {
      if (!(error instanceof EscapeError)) throw error
      this.at = node.at
      return this.refuse(`in the second round of {{range}}: ${error.message}`)
    }
  }

  private round(context: Context, node: Branch): Escaped<Node[]> {
    const loop: Loop = { ends: [] }
    this.loops.push(loop)
    const [after, body] = this.list(context, node.body)
    this.loops.pop()
    const joined = loop.ends.reduce((known, end) => this.joined(known, end.context, end.at, 'range'), after)
    return [joined, body]
  }

  private joined(a: Context, b: Context, at: Location, what: string): Context {
    const context = join(a, b)
    if (context) return context
    this.at = at
    return this.refuse(`the branches of {{${what}}} end in different contexts: ${a.state} and ${b.state}`)
  }
}

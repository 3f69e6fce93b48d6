import { Expressions } from './expressions.ts'
import type { Branch, Node } from './nodes.ts'
import type { Token } from './tokens.ts'

/** Nested blocks. A handwritten mail needs five. */
const MAX_BLOCKS = 400
/** `else if` after `else if`. */
const MAX_CHAIN = 400

/** The templates of some files by their names: that of each file itself, and what `define` and `block` name. */
export type Templates = Map<string, Node[]>

interface List {
  nodes: Node[]
  /** What ended it. */
  stop: 'end' | 'else'
}

/**
 * Reads one file and adds its templates to those of earlier files. One of the same name takes the place of an earlier
 * one unless there is nothing in it but space.
 *
 * @throws ParseError
 */
export function parseInto(templates: Templates, name: string, source: string, functions: ReadonlySet<string>): void {
  const own: Templates = new Map()
  new Parser(name, source, functions, own).read()
  for (const [key, nodes] of own) {
    const earlier = templates.get(key)
    if (!earlier || !isBlank(nodes)) templates.set(key, nodes)
  }
}

class Parser extends Expressions {
  private readonly templates: Templates
  private readonly name: string
  private blocks = 0
  private ranges = 0

  constructor(name: string, source: string, functions: ReadonlySet<string>, templates: Templates) {
    super(name, source, functions)
    this.name = name
    this.templates = templates
  }

  read(): void {
    const root: Node[] = []
    for (;;) {
      const token = this.nextNonSpace()
      if (token.type === 'end of text') break
      if (token.type === 'left' && this.isKeyword(this.peekNonSpace(), 'define')) {
        this.definition()
        continue
      }
      const node = this.node(token)
      if (typeof node === 'string') this.fail(`unexpected {{${node}}}`)
      root.push(node)
    }
    this.add(this.name, root)
  }

  private definition(): void {
    this.nextNonSpace()
    const name = this.templateName('define')
    this.expectRight('define')
    this.add(
      name,
      this.scoped(() => this.closedList('define')),
    )
  }

  /** A template of its own: it sees no variable from outside, and a `break` in it has no loop. */
  private scoped<T>(inside: () => T): T {
    const [variables, ranges] = [this.variables, this.ranges]
    this.variables = ['$']
    this.ranges = 0
    const result = inside()
    this.variables = variables
    this.ranges = ranges
    return result
  }

  private add(name: string, nodes: Node[]): void {
    const earlier = this.templates.get(name)
    if (!earlier || isBlank(earlier)) this.templates.set(name, nodes)
    else if (!isBlank(nodes)) this.fail(`template ${JSON.stringify(name)} is defined twice in this file`)
  }

  private closedList(what: string): Node[] {
    const { nodes, stop } = this.list()
    if (stop !== 'end') this.fail(`unexpected {{else}} in ${what}`)
    return nodes
  }

  private list(): List {
    if (++this.blocks > MAX_BLOCKS) this.fail(`blocks are nested deeper than ${MAX_BLOCKS}`)
    const nodes: Node[] = []
    for (;;) {
      const token = this.nextNonSpace()
      if (token.type === 'end of text') this.fail('the text ends inside a block: {{end}} is missing')
      const node = this.node(token)
      if (typeof node === 'string') {
        this.blocks--
        return { nodes, stop: node }
      }
      nodes.push(node)
    }
  }

  private node(token: Token): Node | 'end' | 'else' {
    if (token.type === 'text') return { type: 'text', at: this.location(token), text: token.text }
    if (token.type !== 'left') this.unexpected(token, 'text')
    const first = this.peekNonSpace()
    if (first.type !== 'keyword' || first.text === 'nil') {
      const at = this.location(first)
      return { type: 'action', at, pipe: this.pipeline('command', 'right') }
    }
    this.nextNonSpace()
    const at = this.location(first)
    switch (first.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.control(first.text)
      case 'template':
        return this.call()
      case 'block':
        return this.block()
      case 'break':
      case 'continue':
        this.expectRight(first.text)
        if (this.ranges === 0) this.fail(`{{${first.text}}} stands outside of {{range}}`)
        return { type: first.text, at }
      case 'end':
        this.expectRight('end')
        return 'end'
      case 'else': {
        const next = this.peekNonSpace()
        if (!this.isKeyword(next, 'if') && !this.isKeyword(next, 'with')) this.expectRight('else')
        return 'else'
      }
    }
    return this.unexpected(first, 'command')
  }

  /** `if`, `with` and `range`; a chain of `else if` is read in a loop, so that a long one needs no deep stack. */
  private control(kind: Branch['type']): Branch {
    const variables = this.variables.length
    const first = this.branch(kind)
    for (let [last, length] = [first, 1]; last.stop === 'else'; length++) {
      if (length > MAX_CHAIN) this.fail(`more than ${MAX_CHAIN} branches`)
      if (kind !== 'range' && this.isKeyword(this.peek(), kind)) {
        this.nextNonSpace()
        const next = this.branch(kind)
        last.node.otherwise = [next.node]
        last = next
        continue
      }
      const { nodes, stop } = this.list()
      if (stop !== 'end') this.fail('expected {{end}}, found another {{else}}')
      last.node.otherwise = nodes
      break
    }
    this.variables.length = variables
    return first.node
  }

  private branch(kind: Branch['type']): { node: Branch; stop: 'end' | 'else' } {
    const pipe = this.pipeline(kind, 'right')
    if (kind === 'range') this.ranges++
    const { nodes, stop } = this.list()
    if (kind === 'range') this.ranges--
    return { node: { type: kind, at: pipe.at, pipe, body: nodes }, stop }
  }

  private call(): Node {
    const at = this.location(this.peekNonSpace())
    const name = this.templateName('template')
    if (this.peekNonSpace().type !== 'right')
      return { type: 'template', at, name, pipe: this.pipeline('template', 'right') }
    this.nextNonSpace()
    return { type: 'template', at, name }
  }

  /** A template that is defined where it is used. */
  private block(): Node {
    const at = this.location(this.peekNonSpace())
    const name = this.templateName('block')
    const pipe = this.pipeline('block', 'right')
    this.add(
      name,
      this.scoped(() => this.closedList('block')),
    )
    return { type: 'template', at, name, pipe }
  }

  private templateName(what: string): string {
    const token = this.nextNonSpace()
    if (token.type !== 'string') this.unexpected(token, `{{${what}}}, which wants a name in quotes`)
    return this.unquoted(token)
  }

  private expectRight(what: string): void {
    const token = this.nextNonSpace()
    if (token.type !== 'right') this.unexpected(token, `{{${what}}}`)
  }

  private isKeyword(token: Token, word: string): boolean {
    return token.type === 'keyword' && token.text === word
  }
}

function isBlank(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.type === 'text' && node.text.trim() === '')
}

import { attributeType } from './attributes.ts'
import {
  type AttributeKind,
  type Context,
  type Element,
  EscapeError,
  type State,
  TEXT,
  VALUE_STATES,
} from './context.ts'

/** The context after a piece of text, and how much of the text was read. */
export type Step = readonly [Context, number]

const TAG_NAME = /[a-zA-Z][a-zA-Z0-9]*(?:[:-][a-zA-Z0-9]+)*/y
const SPACE = /[ \t\n\f\r]*/y
const ELEMENTS = new Set<string>(['script', 'style', 'textarea', 'title', 'meta'])
const CONTENT: Record<Element, State> = {
  '': 'text',
  script: 'js',
  style: 'css',
  textarea: 'rcdata',
  title: 'rcdata',
  meta: 'text',
}
const ATTRIBUTE_KINDS: Record<string, AttributeKind> = { url: 'url', css: 'style', js: 'script', srcset: 'srcset' }

export function afterText(context: Context, text: string): Step {
  for (let from = 0; ; ) {
    const open = text.indexOf('<', from)
    if (open < 0 || open + 1 === text.length) return [context, text.length]
    if (text.startsWith('<!--', open)) return [{ ...TEXT, state: 'comment' }, open + 4]
    const closes = text[open + 1] === '/'
    const start = open + (closes ? 2 : 1)
    if (closes && start === text.length) return [context, text.length]
    TAG_NAME.lastIndex = start
    const name = TAG_NAME.exec(text)?.[0]
    if (!name) {
      from = start
      continue
    }
    const known = name.toLowerCase()
    const element = !closes && ELEMENTS.has(known) ? (known as Element) : ''
    return [{ ...TEXT, state: 'tag', element }, start + name.length]
  }
}

export function afterTag(context: Context, text: string): Step {
  const start = skipSpace(text, 0)
  if (start === text.length) return [context, start]
  if (text[start] === '>') {
    const element = context.element === 'meta' ? '' : context.element
    return [{ ...TEXT, state: CONTENT[context.element], element }, start + 1]
  }
  const end = attributeNameEnd(text, start)
  if (end === start)
    throw new EscapeError(
      `expected a space, a name or the end of the tag, not ${JSON.stringify(text.slice(start, start + 20))}`,
    )
  const attribute = kindOfAttribute(context.element, text.slice(start, end).toLowerCase())
  return [
    { ...TEXT, state: end === text.length ? 'attribute name' : 'after name', element: context.element, attribute },
    end,
  ]
}

function kindOfAttribute(element: Element, name: string): AttributeKind {
  if (element === 'script' && name === 'type') return 'script type'
  if (element === 'meta' && name === 'content') return 'meta content'
  return ATTRIBUTE_KINDS[attributeType(name)] ?? ''
}

export function afterAttributeName(context: Context, text: string): Step {
  const end = attributeNameEnd(text, 0)
  return [end === text.length ? context : { ...context, state: 'after name' }, end]
}

export function afterName(context: Context, text: string): Step {
  const start = skipSpace(text, 0)
  if (start === text.length) return [context, start]
  if (text[start] !== '=') return [{ ...context, state: 'tag' }, start]
  return [{ ...context, state: 'before value' }, start + 1]
}

export function beforeValue(context: Context, text: string): Step {
  const start = skipSpace(text, 0)
  if (start === text.length) return [context, start]
  const quote = text[start]
  const quoted = quote === '"' || quote === "'"
  return [
    { ...context, state: VALUE_STATES[context.attribute], delimiter: quoted ? quote : 'space' },
    quoted ? start + 1 : start,
  ]
}

export function afterComment(context: Context, text: string): Step {
  const end = text.indexOf('-->')
  return end < 0 ? [context, text.length] : [TEXT, end + 3]
}

/** Where the end tag of script, style, title or textarea begins; -1 if nowhere. */
export function indexOfEndTag(text: string, element: Element, from: number): number {
  for (let at = text.indexOf('</', from); at >= 0; at = text.indexOf('</', at + 2)) {
    const end = at + 2 + element.length
    if (text.slice(at + 2, end).toLowerCase() !== element) continue
    if (end < text.length && '> \t\n\f/'.includes(text[end]!)) return at
  }
  return -1
}

export function afterUrl(context: Context, text: string): Step {
  if (/[#?]/.test(text)) return [{ ...context, urlPart: 'query' }, text.length]
  if (context.urlPart !== '' || skipSpace(text, 0) === text.length) return [context, text.length]
  return [{ ...context, urlPart: 'before query' }, text.length]
}

/** `0;url=…` of a refresh. */
export function afterMetaContent(context: Context, text: string): Step {
  const found = /url[ \t\n\f\r]*=/i.exec(text)
  return found ? [{ ...context, state: 'meta content url' }, found.index + found[0].length] : [context, text.length]
}

export function afterMetaUrl(context: Context, text: string): Step {
  const end = text.indexOf(';')
  return end < 0 ? [context, text.length] : [{ ...context, state: 'meta content' }, end + 1]
}

function attributeNameEnd(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const char = text[i]!
    if (' \t\n\f\r=>'.includes(char)) return i
    if ('\'"<'.includes(char)) throw new EscapeError(`${JSON.stringify(char)} in the name of an attribute`)
  }
  return text.length
}

export function skipSpace(text: string, start: number): number {
  SPACE.lastIndex = start
  return start + (SPACE.exec(text)?.[0].length ?? 0)
}

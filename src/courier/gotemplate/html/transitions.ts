import { type Context, EscapeError, isComment, isScriptLiteral, type State, TEXT } from './context.ts'
import { unescapeEntities } from './entities.ts'
import { afterBlockComment, afterLineComment, afterScript, afterScriptLiteral, afterScriptTemplate } from './scripts.ts'
import { afterStyle, afterStyleText } from './styles.ts'
import {
  afterAttributeName,
  afterComment,
  afterMetaContent,
  afterMetaUrl,
  afterName,
  afterTag,
  afterText,
  afterUrl,
  beforeValue,
  indexOfEndTag,
  type Step,
} from './tags.ts'

const all = (context: Context, text: string): Step => [context, text.length]

const TRANSITIONS: Record<State, (context: Context, text: string) => Step> = {
  text: afterText,
  tag: afterTag,
  'attribute name': afterAttributeName,
  'after name': afterName,
  'before value': beforeValue,
  comment: afterComment,
  rcdata: all,
  attribute: all,
  url: afterUrl,
  srcset: afterUrl,
  'meta content': afterMetaContent,
  'meta content url': afterMetaUrl,
  js: afterScript,
  'js double quoted': afterScriptLiteral,
  'js single quoted': afterScriptLiteral,
  'js template': afterScriptTemplate,
  'js regex': afterScriptLiteral,
  'js block comment': afterBlockComment,
  'js line comment': afterLineComment,
  'js comment <!--': afterLineComment,
  'js comment -->': afterLineComment,
  css: afterStyle,
  'css double quoted': afterStyleText,
  'css single quoted': afterStyleText,
  'css double quoted url': afterStyleText,
  'css single quoted url': afterStyleText,
  'css url': afterStyleText,
  'css block comment': afterBlockComment,
  'css line comment': afterLineComment,
  dead: all,
}

const DELIMITERS = { '"': /"/, "'": /'/, space: /[ \t\n\f\r>]/ }
const SCRIPT_TYPES = new Set(
  (
    '|application/ecmascript|application/javascript|application/json|application/ld+json|application/x-ecmascript|' +
    'application/x-javascript|module|text/ecmascript|text/javascript|text/javascript1.0|text/javascript1.1|' +
    'text/javascript1.2|text/javascript1.3|text/javascript1.4|text/javascript1.5|text/jscript|text/livescript|' +
    'text/x-ecmascript|text/x-javascript'
  ).split('|'),
)

/** Reads one literal text of a template. It remembers where the element ends that it is in, so that it looks for that once. */
export class TextReader {
  private readonly text: string
  private endTag: { element: string; at: number } | undefined

  constructor(text: string) {
    this.text = text
  }

  /** The context after the next piece of the text, from `at` on, and where that piece ends. */
  step(context: Context, at: number): Step {
    if (context.delimiter !== '') return this.inValue(context, at)
    const end = this.elementEnd(context, at)
    if (end === at) return [TEXT, at]
    const [next, read] = TRANSITIONS[context.state](context, this.text.slice(at, end))
    return [next, at + read]
  }

  /** How far the element reaches whose content ends at its end tag alone. */
  private elementEnd({ element, state }: Context, from: number): number {
    if (element === '' || element === 'meta') return this.text.length
    if (element === 'script' && (isScriptLiteral(state) || isComment(state))) return this.text.length
    const known = this.endTag
    if (known?.element === element && (known.at < 0 || known.at >= from))
      return known.at < 0 ? this.text.length : known.at
    const at = indexOfEndTag(this.text, element, from)
    this.endTag = { element, at }
    return at < 0 ? this.text.length : at
  }

  /** Inside the value of an attribute, which is read without its entities, as a browser does. */
  private inValue(context: Context, at: number): Step {
    const rest = this.text.slice(at)
    const found = rest.search(DELIMITERS[context.delimiter as keyof typeof DELIMITERS])
    const end = found < 0 ? rest.length : found
    const bad = context.delimiter === 'space' ? /["'<=`]/.exec(rest.slice(0, end)) : null
    if (bad) throw new EscapeError(`${JSON.stringify(bad[0])} in the value of an attribute without quotes`)
    if (found < 0) {
      let known = context
      for (let value = unescapeEntities(rest); value !== ''; ) {
        const [next, read] = TRANSITIONS[known.state](known, value)
        known = next
        value = value.slice(read)
      }
      return [known, this.text.length]
    }
    const isData =
      context.attribute === 'script type' && context.element === 'script' && !isScriptType(rest.slice(0, end))
    const next: Context = { ...TEXT, state: 'tag', element: isData ? '' : context.element }
    return [next, at + end + (context.delimiter === 'space' ? 0 : 1)]
  }
}

function isScriptType(type: string): boolean {
  return SCRIPT_TYPES.has(type.split(';')[0]!.toLowerCase().trim())
}

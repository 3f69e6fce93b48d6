import { FunctionError } from '../errors.ts'
import { toJson } from '../functions/json.ts'
import { type Func, func, type Runtime } from '../functions/signature.ts'
import { nameOf, printed, sprint } from '../print/value.ts'
import { Int, type Value } from '../values.ts'
import { attributeType } from './attributes.ts'
import { decodeStyle } from './styles.ts'
import { filterSrcset, isSafeUrl, processUrl } from './urls.ts'

/** What a value becomes that would be dangerous where it stands. */
const REFUSED = 'ZgotmplZ'

const HTML: Record<string, string> = {
  '\0': '\ufffd',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
}

const JS_SHORT: Record<string, string> = {
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '/': '\\/',
  '\\': '\\\\',
}

const CONTROL = '\\0-\\x1f\\u2028\\u2029'
const JS_TEXT = new RegExp(`[${CONTROL}"'\`&+/<>\\\\]`, 'g')
const JS_TEMPLATE = new RegExp(`[${CONTROL}"'\`&+/<>\\\\\${}]`, 'g')
const JS_REGEX = new RegExp(`[${CONTROL}"$&'()*+\\-./<>?[\\\\\\]^{|}]`, 'g')

const escaper = (write: (text: string, runtime: Runtime) => string) =>
  func('...any', (args, runtime) => {
    const text = write(stringify(args, runtime), runtime)
    runtime.budget.text(text.length)
    return text
  })

/**
 * The functions that are put behind a value. Their names cannot be written in a template.
 *
 * @see https://pkg.go.dev/html/template#hdr-Contexts
 */
export const ESCAPERS = {
  'html:text': escaper(escapeHtml),
  'html:rcdata': escaper(escapeHtml),
  'html:attribute': escaper(escapeHtml),
  'html:unquoted': escaper((text) => (text === '' ? REFUSED : escapeUnquoted(text))),
  'html:name': escaper(filterName),
  'html:comment': escaper(() => ''),
  'html:url filter': escaper((text) => (isSafeUrl(text) ? text : `#${REFUSED}`)),
  'html:url part': escaper((text) => processUrl(text, false)),
  'html:url': escaper((text) => processUrl(text, true)),
  'html:srcset': escaper((text) => filterSrcset(text, `#${REFUSED}`)),
  'html:js value': func('...any', (args, runtime) => jsValue(args, runtime)),
  'html:js text': escaper((text) => escapeJs(text, JS_TEXT)),
  'html:js template': escaper((text) => escapeJs(text, JS_TEMPLATE)),
  'html:js regex': escaper((text) => escapeRegex(text) || '(?:)'),
  'html:css text': escaper(escapeStyle),
  'html:css value': escaper(filterStyle),
  'html:arguments': func('...any', (args, { budget }) => sprint(args, budget)),
} satisfies Record<string, Func>

export type Escaper = keyof typeof ESCAPERS

function stringify(args: readonly Value[], { budget }: Runtime): string {
  if (args.length === 1 && typeof args[0] === 'string') return args[0]
  const present = args.filter((arg) => arg !== null && arg !== undefined)
  return present.length === 1 ? printed(present[0], budget) : sprint(present, budget)
}

function escapeHtml(text: string): string {
  return text.replace(/[\0"&'+<>]/g, (char) => HTML[char]!)
}

function escapeUnquoted(text: string): string {
  return text.replace(/[\0\t-\r "&'+<=>`\ufdd0-\ufdef\ufff0-\uffff]/g, (char) => {
    if (char === '\0') return '&#xfffd;'
    if (char > '\x7f') return `&#x${char.charCodeAt(0).toString(16)};`
    return char === '&' || char === '<' || char === '>' ? HTML[char]! : `&#${char.charCodeAt(0)};`
  })
}

function filterName(text: string): string {
  const name = text.toLowerCase()
  return /^[a-z0-9]+$/.test(name) && attributeType(name) === 'plain' ? name : REFUSED
}

/** A value as JSON, apart from names and numbers beside it. */
function jsValue(args: readonly Value[], runtime: Runtime): string {
  const only = args.length === 1 ? args[0] : sprint(args, runtime.budget)
  let json: string
  try {
    json = toJson(only instanceof Int ? (nameOf(only) ?? only) : only, runtime.budget)
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error
    return ` /* ${error.message} */null `
  }
  return /^[$\w]|[$\w]$/.test(json) ? ` ${json} ` : json
}

function escapeJs(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => JS_SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function escapeRegex(text: string): string {
  return text.replace(JS_REGEX, (char) =>
    '$()*-.?[]^{|}'.includes(char)
      ? `\\${char}`
      : (JS_SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

function escapeStyle(text: string): string {
  return text.replace(/[\0\t\n\f\r"&'()+/:;<>\\{}]/g, (char, at: number) => {
    if (char === '\\') return '\\\\'
    const next = text[at + 1]
    const code = `\\${char.charCodeAt(0).toString(16)}`
    return next === undefined || /[0-9a-fA-F\t\n\f\r ]/.test(next) ? `${code} ` : code
  })
}

/** Names, numbers and colours pass; what could run or reach out does not. */
function filterStyle(text: string): string {
  const decoded = decodeStyle(text)
  if (/[\0"'()/;@[\\\]`{}<>]|--/.test(decoded)) return REFUSED
  const letters = decoded.replace(/[^-\w]/g, '').toLowerCase()
  return letters.includes('expression') || letters.includes('mozbinding') ? REFUSED : decoded
}

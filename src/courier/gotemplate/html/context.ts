/** Where in a page a value stands. */
export type State =
  | 'text'
  | 'tag'
  | 'attribute name'
  | 'after name'
  | 'before value'
  | 'comment'
  | 'rcdata'
  | 'attribute'
  | 'url'
  | 'srcset'
  | 'meta content'
  | 'meta content url'
  | 'js'
  | 'js double quoted'
  | 'js single quoted'
  | 'js template'
  | 'js regex'
  | 'js block comment'
  | 'js line comment'
  | 'js comment <!--'
  | 'js comment -->'
  | 'css'
  | 'css double quoted'
  | 'css single quoted'
  | 'css double quoted url'
  | 'css single quoted url'
  | 'css url'
  | 'css block comment'
  | 'css line comment'
  | 'dead'

export type Element = '' | 'script' | 'style' | 'textarea' | 'title' | 'meta'
export type AttributeKind = '' | 'script' | 'script type' | 'style' | 'url' | 'srcset' | 'meta content'

export interface Context {
  state: State
  /** What ends the value of an attribute: a quote, or `>` and space. */
  delimiter: '' | '"' | "'" | 'space'
  urlPart: '' | 'before query' | 'query' | 'unknown'
  /** What a `/` in a script would begin. */
  slash: 'regex' | 'division' | 'unknown'
  /** Open braces in each `${` of the templates in a script. */
  braces: readonly number[]
  attribute: AttributeKind
  element: Element
}

export const TEXT: Context = {
  state: 'text',
  delimiter: '',
  urlPart: '',
  slash: 'regex',
  braces: [],
  attribute: '',
  element: '',
}

/** The text is no page that values could be put into safely. */
export class EscapeError extends Error {}

export function keyOf({ state, delimiter, urlPart, slash, braces, attribute, element }: Context): string {
  return [state, delimiter, urlPart, slash, braces.join('.'), attribute, element].join('|')
}

export function isSame(a: Context, b: Context): boolean {
  return a === b || keyOf(a) === keyOf(b)
}

export function isComment(state: State): boolean {
  return state.includes('comment')
}

export function isScriptLiteral(state: State): boolean {
  return state === 'js double quoted' || state === 'js single quoted' || state === 'js template' || state === 'js regex'
}

/** The state in which the value of an attribute begins. */
export const VALUE_STATES: Record<AttributeKind, State> = {
  '': 'attribute',
  script: 'js',
  'script type': 'attribute',
  style: 'css',
  url: 'url',
  srcset: 'srcset',
  'meta content': 'meta content',
}

/** Where a value stands that is put in here, if the text alone does not say it. */
export function nudge(context: Context): Context {
  switch (context.state) {
    case 'tag':
      return { ...context, state: 'attribute name' }
    case 'before value':
      return { ...context, state: VALUE_STATES[context.attribute], delimiter: 'space', attribute: '' }
    case 'after name':
      return { ...context, state: 'attribute name', attribute: '' }
  }
  return context
}

/** The context after two branches. @returns undefined where no value could follow both */
export function join(a: Context, b: Context): Context | undefined {
  if (a.state === 'dead') return b
  if (b.state === 'dead' || isSame(a, b)) return a
  if (isSame({ ...a, urlPart: b.urlPart }, b)) return { ...b, urlPart: 'unknown' }
  if (isSame({ ...a, slash: b.slash }, b)) return { ...b, slash: 'unknown' }
  const [left, right] = [nudge(a), nudge(b)]
  return isSame(left, a) && isSame(right, b) ? undefined : join(left, right)
}

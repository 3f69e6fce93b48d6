import type { UiMessage } from '../flows/types.ts'
import { DEFAULT_TEXTS, type TextName } from './default-texts.ts'

/** The texts of the pages, with the operator's own in place of the defaults. */
export interface Texts {
  /** `{name}` in the text becomes that value. */
  get(name: TextName, values?: Readonly<Record<string, string | number>>): string
  /** The text of the first of `names` that has one. */
  firstOf(names: readonly string[]): string | undefined
  /** A message of a flow: the text for its id, else its own. */
  message(message: UiMessage): string
}

/** @param own `lethe.ui.texts` */
export function createTexts(own: Readonly<Record<string, string>>): Texts {
  const find = (name: string): string | undefined => {
    if (Object.hasOwn(own, name)) return own[name]
    return Object.hasOwn(DEFAULT_TEXTS, name) ? DEFAULT_TEXTS[name as TextName] : undefined
  }
  /** Never the words of a provider, which anyone who runs one chooses. */
  const byProvider = (error: string) => find(`provider_error.${error}`) ?? find('provider_error.other')
  return {
    get: (name, values = {}) => filled(find(name) ?? name, values),
    firstOf: (names) => names.map(find).find((text) => text !== undefined),
    message({ id, text, context }) {
      const other = typeof context?.provider_error === 'string' ? byProvider(context.provider_error) : find(String(id))
      return other === undefined ? text : filled(other, context ?? {})
    },
  }
}

function filled(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    return typeof value === 'string' || typeof value === 'number' ? String(value) : whole
  })
}

/** Names in `lethe.ui.texts` that no page uses: most likely misspelt. Ids of messages are always accepted. */
export function unknownTexts(own: Readonly<Record<string, string>>): string[] {
  return Object.keys(own).filter((name) => !Object.hasOwn(DEFAULT_TEXTS, name) && !/^\d{7}$/.test(name))
}

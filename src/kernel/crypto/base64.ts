export type Base64Form = 'padded' | 'raw' | 'url'

const ENCODE: Record<Base64Form, (bytes: Uint8Array) => string> = {
  padded: (bytes) => Buffer.from(bytes).toString('base64'),
  raw: (bytes) => Buffer.from(bytes).toString('base64').replaceAll('=', ''),
  url: (bytes) => Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
}

/** `padded`: standard alphabet with `=`; `raw`: the same without `=`; `url`: URL alphabet WITH `=` (session cookies). */
export function encodeBase64(bytes: Uint8Array, form: Base64Form): string {
  return ENCODE[form](bytes)
}

/**
 * Accepts exactly one spelling per value: undefined for another alphabet, missing or surplus padding, spaces, stray bits.
 * Node's own decoder accepts all of those, which would give one cookie many spellings that Kratos refuses.
 */
export function decodeBase64(text: string, form: Base64Form): Buffer | undefined {
  const bytes = Buffer.from(text, form === 'url' ? 'base64url' : 'base64')
  return encodeBase64(bytes, form) === text ? bytes : undefined
}

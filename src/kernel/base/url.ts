/**
 * `new URL` that answers undefined instead of throwing. Not by `URL.canParse`: on Node 20, once it runs compiled, it
 * refuses every address that holds a letter such as ü.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/**
 * `new URL` that returns undefined instead of throwing. Not by `URL.canParse`: on Node 20, once it runs compiled, it
 * refuses every address that holds a letter such as ü.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** A base address for paths. A loop from the end: an expression would try anew at each slash inside. */
export function withoutTrailingSlashes(url: string): string {
  let end = url.length
  while (url[end - 1] === '/') end -= 1
  return url.slice(0, end)
}

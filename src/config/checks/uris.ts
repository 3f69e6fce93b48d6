// Control characters and spaces, bad percent escapes: refused everywhere, since these values end up in Location headers.
const BAD_TEXT = /[\p{Cc} ]|%(?![0-9a-fA-F]{2})/u
const BAD_AUTHORITY = /[{}|\\^`%]|:(?![0-9]*$)(?![^@]*@)(?![^\]]*\])/

/** An absolute address of any scheme (`https:`, `file:`, `base64:`, app schemes such as `exp:`). */
export function isUri(text: string): boolean {
  const match = /^[a-z][a-z0-9+.-]*:(\/\/([^/?#]*))?(.*)$/is.exec(text)
  if (!match || BAD_TEXT.test(text)) return false
  const authority = match[2]
  return authority === undefined ? match[3] !== '' : !BAD_AUTHORITY.test(authority)
}

/** Absolute, or a path on the same host. `//host` counts as neither: a browser would leave the host. */
export function isUriOrPath(text: string): boolean {
  return (/^\/(?![/\\])/.test(text) && !BAD_TEXT.test(text)) || isUri(text)
}

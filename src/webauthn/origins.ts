/** A relying party: its name, and the origins of its pages. */
export interface RelyingParty {
  id: string
  name: string
  /** see {@link comparableOrigin} */
  origins: readonly string[]
}

/** Scheme, host and port in lower case, without the rest; an app's own origin unchanged. */
export function comparableOrigin(text: string): string {
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? []
  if (scheme === undefined || authority === undefined) return text
  return `${scheme}://${authority.slice(authority.lastIndexOf('@') + 1)}`.toLowerCase()
}

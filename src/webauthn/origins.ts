/** What a relying party is called, and where its pages may stand. */
export interface RelyingParty {
  id: string
  name: string
  /** see {@link comparableOrigin} */
  origins: readonly string[]
}

/** Scheme, host and port in lower case, without what follows; what an app says of itself as it is. */
export function comparableOrigin(text: string): string {
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? []
  if (scheme === undefined || authority === undefined) return text
  return `${scheme}://${authority.slice(authority.lastIndexOf('@') + 1)}`.toLowerCase()
}

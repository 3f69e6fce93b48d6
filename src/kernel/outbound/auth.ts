/** How a configured request authenticates itself. */
export type RequestAuth =
  | { type: 'basic_auth'; config: { user: string; password: string } }
  | { type: 'api_key'; config: { name: string; value: string; in: 'header' | 'cookie' } }

/** The headers for it, with names in lower case. */
export function authHeaders(auth: RequestAuth | undefined): Record<string, string> {
  if (auth === undefined) return {}
  if (auth.type === 'basic_auth') {
    const { user, password } = auth.config
    return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
  }
  const { name, value, in: place } = auth.config
  return place === 'cookie' ? { cookie: `${name}=${value}` } : { [name.toLowerCase()]: value }
}

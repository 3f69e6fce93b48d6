import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import type { RelyingParty } from './origins.ts'

interface Configured {
  id: string
  display_name: string
  origin?: string | undefined
  origins?: readonly string[] | undefined
}

/** @param publicBaseUrl gives its scheme to the origin where none is configured */
export function relyingParty(rp: Configured, publicBaseUrl: string): RelyingParty {
  const scheme = withoutTrailingSlashes(publicBaseUrl).split('://')[0]
  const configured = rp.origins ?? (rp.origin === undefined ? [] : [rp.origin])
  return { id: rp.id, name: rp.display_name, origins: configured.length > 0 ? configured : [`${scheme}://${rp.id}`] }
}

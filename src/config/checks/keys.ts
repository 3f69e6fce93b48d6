import { isIP } from 'node:net'
import { parseUrl } from '../../kernel/base/url.ts'
import type { Config } from '../schema/schema.ts'

export interface KeyWarning {
  message: string
  keys: string[]
}

/** The default of `ui_url`, a page of documentation. */
const FALLBACK = 'https://www.ory.sh/kratos/docs/fallback/'
const PAGES = ['login', 'registration', 'settings'] as const

/**
 * Pages on which browsers refuse every key, because of where they are.
 * @see https://www.w3.org/TR/webauthn-3/#relying-party-identifier
 */
export function unusableKeys({ selfservice: { methods, flows } }: Config): KeyWarning[] {
  const pages = PAGES.map((flow) => ({ key: `selfservice.flows.${flow}.ui_url`, url: flows[flow].ui_url }))
  return (['webauthn', 'passkey'] as const).flatMap((method) => {
    const { enabled, config } = methods[method]
    const id = config?.rp?.id
    if (!enabled || id === undefined) return []
    return pages.flatMap(({ key, url }) => {
      const reason = whyRefused(id, url)
      if (reason === undefined) return []
      const message = `browsers refuse keys for ${id} on the page at ${url}: ${reason}`
      return [{ message, keys: [`selfservice.methods.${method}.config.rp.id`, key] }]
    })
  })
}

function whyRefused(id: string, url: string): string | undefined {
  const page = url.startsWith(FALLBACK) ? undefined : parseUrl(url)
  if (!page) return undefined
  const { protocol, hostname } = page
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return 'an IP address has no keys'
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  if (protocol !== 'https:' && !isLocal) return 'not https'
  const name = id.toLowerCase()
  return hostname === name || hostname.endsWith(`.${name}`) ? undefined : 'it is neither that host nor below it'
}

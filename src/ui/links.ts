import type { Config } from '../config/schema/schema.ts'
import type { Flow } from '../flows/types.ts'
import { requestedLoginChallenge, requestedReturnTo } from '../flows/urls.ts'
import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import { encodeQuery } from '../kernel/http/query.ts'
import { resolveReturnTo } from '../kernel/http/return-to.ts'

/** Flows that have a page. */
export type PageKind = 'login' | 'registration' | 'settings' | 'recovery' | 'verification'

/** The link that begins a flow, from a page. @param returnTo as requested; it is checked where the flow begins */
export function beginLink(root: string, kind: PageKind, returnTo = ''): string {
  return beginWith(root, kind, returnTo === '' ? {} : { return_to: returnTo })
}

/** The same from the page of a flow: what it would have gone on to goes along, also the OAuth2 server that waits. */
export function beginInstead(root: string, kind: PageKind, { request_url }: Pick<Flow, 'request_url'>): string {
  const [returnTo, challenge] = [requestedReturnTo(request_url), requestedLoginChallenge(request_url)]
  return beginWith(root, kind, {
    ...(returnTo === '' ? {} : { return_to: returnTo }),
    ...(challenge === undefined ? {} : { login_challenge: challenge }),
  })
}

function beginWith(root: string, kind: PageKind, query: Record<string, string>): string {
  const search = encodeQuery(query)
  return `${root}/self-service/${kind}/browser${search === '' ? '' : `?${search}`}`
}

/**
 * The requested `return_to`, if it is allowed.
 * @returns `refused` for one that is not on the allow list, undefined without one
 */
export function checkedReturnTo(config: Config, publicBaseUrl: string, asked: string): string | 'refused' | undefined {
  if (asked === '') return undefined
  const { allowed_return_urls: allowed, default_browser_return_url: fallback } = config.selfservice
  try {
    return resolveReturnTo(asked, { allowed, publicBaseUrl, fallback })
  } catch {
    return 'refused'
  }
}

/** Whether the built-in pages are served: switched on, or a `ui_url` leads to them. */
export function isUiEnabled(config: Config, publicBaseUrl: string): boolean {
  const { enabled } = config.lethe.ui
  if (enabled !== undefined) return enabled
  const own = `${withoutTrailingSlashes(publicBaseUrl)}/ui/`
  const { login, registration, settings, recovery, verification, error } = config.selfservice.flows
  return [login, registration, settings, recovery, verification, error].some(
    ({ ui_url }) => ui_url.startsWith(own) || ui_url.startsWith('/ui/'),
  )
}

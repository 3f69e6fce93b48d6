import { isUriOrPath } from '../config/checks/uris.ts'
import type { Config } from '../config/schema/schema.ts'
import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import { isUuid } from '../kernel/base/uuid.ts'
import { encodeQuery, queryPairs, withQuery } from '../kernel/http/query.ts'
import { resolveReturnTo } from '../kernel/http/return-to.ts'
import type { FlowKind } from './kinds.ts'
import type { FlowType } from './types.ts'

/** The addresses of flows, and those that browsers are sent to. */
export interface FlowUrls {
  /** The address of a request, as clients know it. @param target path and query as they arrived */
  request(target: string): string
  /** where the form is posted to */
  action(kind: FlowKind, flowId: string): string
  /** where a flow is read */
  read(kind: FlowKind, flowId: string): string
  /** where a flow begins */
  init(kind: FlowKind, type: FlowType, returnTo: string): string
  /** where a browser begins to sign in */
  login(query: Record<string, string>): string
  /** the page that shows the login form, without a flow */
  loginPage(): string
  /** the page that shows the form */
  page(kind: FlowKind, flowId: string): string
  /**
   * Where a browser goes at the end: the `return_to` of the flow, else the first usable `fallback`, else
   * `selfservice.default_browser_return_url`.
   * @throws 400 `self_service_flow_return_to_forbidden`
   */
  returnTo(requestUrl: string, ...fallbacks: (string | undefined)[]): string
  /** where a browser goes that is signed in already */
  home(): string
}

export function createFlowUrls(d: { config(): Config; publicBaseUrl(): string }): FlowUrls {
  const below = (path: string) => `${withoutTrailingSlashes(d.publicBaseUrl())}${path}`
  return {
    request: (target) => below(target),
    action: (kind, flow) => below(`/self-service/${kind}?${encodeQuery({ flow })}`),
    read: (kind, id) => below(`/self-service/${kind}/flows?${encodeQuery({ id })}`),
    init: (kind, type, returnTo) =>
      below(`/self-service/${kind}/${type}${returnTo === '' ? '' : `?${encodeQuery({ return_to: returnTo })}`}`),
    login: (query) => below(`/self-service/login/browser?${encodeQuery(query)}`),
    loginPage: () => d.config().selfservice.flows.login.ui_url,
    home: () => d.config().selfservice.default_browser_return_url,
    page: (kind, flow) => withQuery(d.config().selfservice.flows[kind].ui_url, { flow }),
    returnTo(requestUrl, ...fallbacks) {
      const { default_browser_return_url: last, allowed_return_urls: allowed } = d.config().selfservice
      // Kratos accepts any text for the more specific keys and skips one that is no address.
      const fallback = fallbacks.find((url) => url !== undefined && isUriOrPath(url)) ?? last
      return resolveReturnTo(requestedReturnTo(requestUrl), { allowed, publicBaseUrl: d.publicBaseUrl(), fallback })
    },
  }
}

/** The query of the URL that began a flow. */
export function requestQuery(requestUrl: string): URLSearchParams {
  const at = requestUrl.indexOf('?')
  return new URLSearchParams(at < 0 ? [] : queryPairs(requestUrl.slice(at + 1)))
}

/** As requested, not yet checked; empty without one. */
export function requestedReturnTo(requestUrl: string): string {
  return requestQuery(requestUrl).get('return_to') ?? ''
}

/** The challenge of an OAuth2 server; undefined without one. */
export function requestedLoginChallenge(requestUrl: string): string | undefined {
  return requestQuery(requestUrl).get('login_challenge') ?? undefined
}

/** The organisation that the login is for; undefined where none is named, and for what is no id. */
export function requestedOrganization(requestUrl: string): string | undefined {
  const id = requestQuery(requestUrl).get('organization') ?? ''
  return isUuid(id) ? id : undefined
}

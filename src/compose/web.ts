import { createErrorContainers } from '../error-containers/service.ts'
import { createErrorStore } from '../error-containers/store.ts'
import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import { createCsrf } from '../kernel/http/csrf.ts'
import { encodeQuery } from '../kernel/http/query.ts'
import { CookieCache } from '../sessions/http/cookie-cache.ts'
import { createSessionCredentials } from '../sessions/http/credentials.ts'
import { createLinkPage } from '../ui/confirm-link.ts'
import type { Base } from './environment.ts'

export type Web = ReturnType<typeof composeWeb>

/** What every browser request needs: anti-CSRF, cookies, error containers. */
export function composeWeb({ config, dev, clock, random, db, meta, baseUrls }: Base) {
  const publicBaseUrl = baseUrls.public
  const csrf = createCsrf({ config, dev, random, publicBaseUrl })
  return {
    csrf,
    linkPage: createLinkPage({ config, baseUrls, csrf }),
    credentials: createSessionCredentials({ config, dev, clock, random, publicBaseUrl, cookies: new CookieCache() }),
    errors: createErrorContainers({ clock, random, store: createErrorStore(db, meta.nid) }),
    freshProofUrl: (returnTo: string) =>
      selfServiceUrl(publicBaseUrl(), 'login/browser', {
        refresh: 'true',
        ...(returnTo === '' ? {} : { return_to: returnTo }),
      }),
    /** @param loginChallenge of an OAuth2 server, which then decides where the browser goes */
    secondFactorUrl: (returnTo: string, loginChallenge?: string) =>
      selfServiceUrl(publicBaseUrl(), 'login/browser', {
        aal: 'aal2',
        ...(loginChallenge !== undefined
          ? { login_challenge: loginChallenge }
          : returnTo === ''
            ? {}
            : { return_to: returnTo }),
      }),
  }
}

/** A URL below /self-service of the public address. */
export function selfServiceUrl(base: string, path: string, query: Record<string, string>): string {
  return `${withoutTrailingSlashes(base)}/self-service/${path}?${encodeQuery(query)}`
}

import { withoutTrailingSlashes } from '../../../kernel/base/url.ts'
import { type Claims, toClaims } from '../claims.ts'
import { bearer, issuerOf, standardParameters } from '../generic.ts'
import type { ClaimsRequest, Kind, Provider } from '../kind.ts'

interface Paths {
  authorization: string
  token: string
  userinfo: string
}

/** Providers at a configured address that speak OAuth 2.0 and describe the person as OpenID Connect does. */
const below = (paths: Paths, fallback = ''): Kind => {
  const url = (provider: Provider, path: string) => `${withoutTrailingSlashes(issuerOf(provider) || fallback)}${path}`
  return {
    endpoints: async (provider) => ({
      authorization: url(provider, paths.authorization),
      token: url(provider, paths.token),
    }),
    parameters: standardParameters,
    async claims({ provider, tokens, upstream }: ClaimsRequest): Promise<Claims> {
      const said = await upstream.getJson(url(provider, paths.userinfo), bearer(tokens.accessToken))
      const claims = toClaims(said as Record<string, never>)
      return claims.iss === undefined && issuerOf(provider) !== '' ? { ...claims, iss: issuerOf(provider) } : claims
    },
  }
}

/** @see https://docs.gitlab.com/integration/openid_connect_provider/ */
export const gitlab = below(
  { authorization: '/oauth/authorize', token: '/oauth/token', userinfo: '/oauth/userinfo' },
  'https://gitlab.com',
)

/** @see https://auth0.com/docs/api/authentication */
export const auth0 = below({ authorization: '/authorize', token: '/oauth/token', userinfo: '/userinfo' })

/** @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_endpoints.htm */
export const salesforce = below({
  authorization: '/services/oauth2/authorize',
  token: '/services/oauth2/token',
  userinfo: '/services/oauth2/userinfo',
})

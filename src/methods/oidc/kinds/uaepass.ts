import type { JsonObject } from '../../../identities/types.ts'
import { textAt, toClaims } from '../claims.ts'
import { bearer, issuerOf } from '../generic.ts'
import type { Kind, Provider } from '../kind.ts'

/** Signs in with the mobile app on any device. */
const ACR = 'urn:safelayer:tws:policies:authentication:level:low'

const baseOf = (provider: Provider) => (issuerOf(provider) || 'https://id.uaepass.ae').replace(/\/$/, '')

/** @see https://docs.uaepass.ae */
export const uaepass: Kind = {
  endpoints: async (provider) => ({
    authorization: `${baseOf(provider)}/idshub/authorize`,
    token: `${baseOf(provider)}/idshub/token`,
  }),
  parameters: () => ({ acr_values: ACR }),
  pkce: 'force',
  token: { auth: 'header' },
  async claims({ provider, tokens, upstream }) {
    const url = `${baseOf(provider)}/idshub/userinfo`
    const user = (await upstream.getJson(url, bearer(tokens.accessToken))) as JsonObject
    const claims = {
      iss: baseOf(provider),
      sub: textAt(user, 'sub'),
      email: textAt(user, 'email'),
      name: textAt(user, 'fullnameEN'),
      given_name: textAt(user, 'firstnameEN'),
      last_name: textAt(user, 'lastnameEN'),
    }
    return toClaims(claims, user)
  },
}

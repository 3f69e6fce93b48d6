import { readAnswer } from '../answers.ts'
import { textAt, toClaims } from '../claims.ts'
import { untrustworthy } from '../errors.ts'
import { bearer, idTokenClaims, standardParameters, submittedTo } from '../generic.ts'
import type { Kind } from '../kind.ts'

const BROKER = 'https://broker.netid.de'
const ISSUER = `${BROKER}/`

/** @see https://developerzone.netid.dev */
export const netid: Kind = {
  issuer: ISSUER,
  openid: true,
  endpoints: async () => ({ authorization: `${BROKER}/authorize`, token: `${BROKER}/token` }),
  parameters: standardParameters,
  async claims(request) {
    const { tokens, upstream } = request
    const { iss, sub } = await idTokenClaims(request, ISSUER)
    const said = (await upstream.getJson(`${BROKER}/userinfo`, bearer(tokens.accessToken))) as Record<string, never>
    return { ...toClaims(said), iss: iss!, sub: sub! }
  },
  submitted: {
    /** What apps have is a token of FedCM, which the broker exchanges. */
    async verify(provider, fedcmToken, upstream) {
      const form = new URLSearchParams({ grant_type: 'netid_fedcm', fedcm_token: fedcmToken })
      const origin = provider.net_id_token_origin_header
      const answer = await upstream.postForm(`${BROKER}/token`, form, origin === undefined ? {} : { origin })
      const idToken = textAt(readAnswer(answer.body), 'id_token')
      if (idToken === '') throw untrustworthy('netID did not exchange the token')
      const { jwks_uri } = await upstream.discover(ISSUER)
      return submittedTo(ISSUER, jwks_uri)(provider, idToken, upstream)
    },
    mayLackNonce: () => false,
  },
}

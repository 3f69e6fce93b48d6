import { createHmac } from 'node:crypto'
import { textAt, toClaims } from '../claims.ts'
import { bearer, standardParameters } from '../generic.ts'
import type { Kind } from '../kind.ts'

const FIELDS = 'id,name,first_name,last_name,middle_name,email,picture,birthday,gender'

/** @see https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow */
export const facebook: Kind = {
  issuer: 'https://www.facebook.com',
  openid: true,
  endpoints: async () => ({
    authorization: 'https://facebook.com/dialog/oauth',
    token: 'https://graph.facebook.com/oauth/access_token',
  }),
  parameters: standardParameters,
  async claims({ provider, tokens, upstream }) {
    // Proves that the token is used by the application that it was issued to.
    const proof = createHmac('sha256', provider.client_secret ?? '')
      .update(tokens.accessToken)
      .digest('hex')
    // Without a version in the path: each is switched off after two years.
    const url = `https://graph.facebook.com/me?fields=${FIELDS}&appsecret_proof=${proof}`
    const user = await upstream.getJson(url, bearer(tokens.accessToken))
    const name = textAt(user, 'name')
    const email = textAt(user, 'email')
    return toClaims({
      iss: url,
      sub: textAt(user, 'id'),
      name,
      nickname: name,
      preferred_username: name,
      given_name: textAt(user, 'first_name'),
      family_name: textAt(user, 'last_name'),
      middle_name: textAt(user, 'middle_name'),
      picture: textAt(user, 'picture', 'data', 'url'),
      email,
      // Facebook returns an address only if it is verified.
      email_verified: email !== '',
      gender: textAt(user, 'gender'),
      birthdate: textAt(user, 'birthday'),
    })
  },
}

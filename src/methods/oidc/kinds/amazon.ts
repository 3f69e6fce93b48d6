import { textAt } from '../claims.ts'
import { invalidConfiguration } from '../errors.ts'
import { bearer } from '../generic.ts'
import type { Provider } from '../kind.ts'
import { oauth2 } from '../oauth2.ts'

const TOKEN = 'https://api.amazon.com/auth/o2/token'
const ENDPOINTS = { authorization: 'https://www.amazon.com/ap/oa', token: TOKEN }
const SCOPES = ['profile', 'profile:user_id', 'postal_code']

/** @see https://developer.amazon.com/docs/login-with-amazon/documentation-overview.html */
export const amazon = oauth2(
  ENDPOINTS,
  async ({ tokens, upstream }) => {
    const headers = { ...bearer(tokens.accessToken), 'x-amz-access-token': tokens.accessToken }
    const user = await upstream.getJson('https://api.amazon.com/user/profile', headers)
    return {
      iss: TOKEN,
      sub: textAt(user, 'user_id'),
      name: textAt(user, 'name'),
      email: textAt(user, 'email'),
      zoneinfo: textAt(user, 'postal_code'),
    }
  },
  {
    async endpoints(provider: Provider) {
      const odd = provider.scope?.find((scope) => !SCOPES.includes(scope))
      if (odd === undefined) return ENDPOINTS
      throw invalidConfiguration(`scope ${odd} not supported. Supported: [${SCOPES.join(' ')}]`)
    },
  },
)

import { jwtVerify } from 'jose'
import type { JsonObject } from '../../../identities/types.ts'
import { toClaims } from '../claims.ts'
import { generic } from '../generic.ts'
import type { Kind } from '../kind.ts'

const KEY = new TextEncoder().encode('xxxxxxx')

/** For tests alone: its key is public. */
export const fedcmTest: Kind = {
  ...generic,
  submitted: {
    async verify(_, idToken) {
      const { payload } = await jwtVerify(idToken, KEY, { algorithms: ['HS256'], currentDate: new Date(0) })
      return toClaims({ ...(payload as JsonObject), iss: 'https://example.com/fedcm' })
    },
    mayLackNonce: () => false,
  },
}

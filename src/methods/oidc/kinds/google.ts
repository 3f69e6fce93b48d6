import { at, standardParameters, submittedTo } from '../generic.ts'
import type { Kind } from '../kind.ts'

const ISSUER = 'https://accounts.google.com'
const OFFLINE = 'offline_access'

/** @see https://developers.google.com/identity/openid-connect/openid-connect */
export const google: Kind = at(ISSUER, {
  scopes: (configured) => configured.filter((scope) => scope !== OFFLINE),
  parameters: (provider, refresh) => ({
    ...standardParameters(provider, refresh),
    ...(provider.scope?.includes(OFFLINE) ? { access_type: 'offline' } : {}),
  }),
  submitted: {
    verify: submittedTo(ISSUER, 'https://www.googleapis.com/oauth2/v3/certs'),
    // Some of its libraries for apps cannot set one.
    mayLackNonce: ({ nonce }) => nonce === undefined,
  },
})

import { createPrivateKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { readAnswer } from '../answers.ts'
import { type Claims, textAt } from '../claims.ts'
import { invalidConfiguration } from '../errors.ts'
import { idTokenClaims, standardParameters, submittedTo } from '../generic.ts'
import type { Kind, Provider } from '../kind.ts'

const ISSUER = 'https://appleid.apple.com'
const SECRET_SECONDS = 300

/** @see https://developer.apple.com/documentation/signinwithapplerestapi */
export const apple: Kind = {
  issuer: ISSUER,
  openid: true,
  endpoints: async () => ({ authorization: `${ISSUER}/auth/authorize`, token: `${ISSUER}/auth/token` }),
  parameters: (provider, refresh) => ({
    ...standardParameters(provider, refresh),
    // Apple requires it for these two, and then returns by POST.
    ...(provider.scope?.some((scope) => scope === 'email' || scope === 'name') ? { response_mode: 'form_post' } : {}),
  }),
  token: { auth: 'body', secret: clientSecret },
  claims: async (request) => withName(await idTokenClaims(request, ISSUER), request.query.get('user')),
  toldOnce: ['given_name', 'family_name', 'last_name'],
  submitted: {
    verify: submittedTo(ISSUER, `${ISSUER}/auth/keys`),
    mayLackNonce: ({ nonce_supported }) => nonce_supported !== true,
  },
}

/** The secret is a token signed here. @throws HttpError 500 when the key cannot be read */
async function clientSecret(provider: Provider, now: number): Promise<string> {
  try {
    return await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: provider.apple_private_key_id! })
      .setIssuer(provider.apple_team_id!)
      .setSubject(provider.client_id)
      .setAudience(ISSUER)
      .setIssuedAt(Math.floor(now))
      .setExpirationTime(Math.floor(now) + SECRET_SECONDS)
      .sign(createPrivateKey(provider.apple_private_key!))
  } catch (error) {
    throw invalidConfiguration('apple_private_key is no private key for ES256 in PEM', error)
  }
}

const MAX_USER = 4096

/** The name comes beside the token, at the first sign-in only, and unsigned: it fills empty claims. */
function withName(claims: Claims, user: string | null): Claims {
  if (user === null || user.length > MAX_USER) return claims
  try {
    const said = readAnswer(user)
    const [first, last] = [textAt(said, 'name', 'firstName'), textAt(said, 'name', 'lastName')]
    return {
      ...(first === '' ? {} : { given_name: first }),
      ...(last === '' ? {} : { last_name: last, family_name: last }),
      ...claims,
    }
  } catch {
    return claims
  }
}

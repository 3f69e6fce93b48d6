import { decodeJwt } from 'jose'
import type { JsonObject } from '../../../identities/types.ts'
import { isUuid } from '../../../kernel/base/uuid.ts'
import { type Claims, member, textAt } from '../claims.ts'
import { idTokenMissing, untrustworthy } from '../errors.ts'
import { bearer, idTokenClaims, standardParameters } from '../generic.ts'
import type { ClaimsRequest, Kind } from '../kind.ts'

const HOST = 'https://login.microsoftonline.com'
const ME = 'https://graph.microsoft.com/v1.0/me'

/** @see https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc */
export const microsoft: Kind = {
  openid: true,
  endpoints: async ({ microsoft_tenant: tenant }) => ({
    authorization: `${HOST}/${tenant}/oauth2/v2.0/authorize`,
    token: `${HOST}/${tenant}/oauth2/v2.0/token`,
  }),
  parameters: standardParameters,
  async claims(request) {
    const { email_verified: _, ...claims } = await idTokenClaims(request, issuerOf(request))
    return withSubject(request, { ...claims, ...(isOwned(claims) ? { email_verified: true } : {}) })
  },
  mayVerify: ({ microsoft_tenant: tenant = '' }, claims) => !anyTenant(tenant) || isOwned(claims),
}

/** Tenants are not persons: anyone may have one, and writes any address into it. */
export const anyTenant = (tenant: string): boolean =>
  ['common', 'organizations', 'consumers'].includes(tenant.toLowerCase())

/** The tenant has proved that the domain of the address is its own, or the person that the address is. */
const isOwned = ({ raw_claims: raw }: Claims) => OWNED.has(member(raw, 'xms_edov'))
const OWNED = new Set<unknown>([true, 1, 'true', '1'])

/** The tenant of all personal accounts. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Tokens for `common` and `organizations` are issued by the tenant of the person. @throws HttpError 400 */
function issuerOf({ provider, tokens: { idToken } }: ClaimsRequest): string {
  if (idToken === '') throw idTokenMissing()
  const tenant = tenantOf(idToken)
  if (!isUuid(tenant)) throw untrustworthy(`TenantID claim is not a valid UUID: ${tenant}`)
  const wanted = (provider.microsoft_tenant ?? '').toLowerCase()
  const fits = { consumers: tenant === PERSONAL, organizations: tenant !== PERSONAL }[wanted]
  if (fits === false || (isUuid(wanted) && tenant.toLowerCase() !== wanted)) {
    throw untrustworthy(`This account is of another tenant than microsoft_tenant: ${wanted} allows.`)
  }
  return `${HOST}/${tenant}/v2.0`
}

function tenantOf(idToken: string): string {
  try {
    return textAt(decodeJwt(idToken) as JsonObject, 'tid')
  } catch (error) {
    throw untrustworthy(error)
  }
}

/** `sub` differs for each application; the others are the same for all of them. */
async function withSubject({ provider, tokens, upstream }: ClaimsRequest, claims: Claims): Promise<Claims> {
  const { sub: _, ...others } = claims
  const named = (sub: string) => (sub === '' ? others : { ...others, sub })
  if (provider.subject_source === 'me') {
    return named(textAt(await upstream.getJson(ME, bearer(tokens.accessToken)), 'id'))
  }
  return provider.subject_source === 'oid' ? named(textAt(claims, 'oid')) : claims
}

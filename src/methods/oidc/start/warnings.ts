import type { Config } from '../../../config/schema/schema.ts'
import { parseUrl } from '../../../kernel/base/url.ts'
import { HttpError } from '../../../kernel/http/errors.ts'
import type { Provider } from '../kind.ts'
import { anyTenant } from '../kinds/microsoft.ts'
import type { Upstream } from '../upstream.ts'

/** A finding for the operator at start, with the key that it is about. */
export interface ProviderWarning {
  keys: string[]
  message: string
}

export interface ProviderWarningDeps {
  config(): Config
  upstream: Pick<Upstream, 'discover'>
  /** @throws Error without the address */
  loadText(url: string): Promise<string>
}

/** What would be found out at the first sign-in only. It asks other servers, so that nothing waits for it. */
export async function providerWarnings(d: ProviderWarningDeps): Promise<ProviderWarning[]> {
  const { enabled, config } = d.config().selfservice.methods.oidc
  if (!enabled) return []
  const found = config.providers.map(async (provider, at) => {
    const key = `selfservice.methods.oidc.config.providers.${at}`
    const [issuer, mapper] = await Promise.all([ofIssuer(d, provider), ofMapper(d, provider)])
    return [
      ...issuer.map((message) => ({ keys: [`${key}.issuer_url`], message })),
      ...mapper.map((message) => ({ keys: [`${key}.mapper_url`], message })),
    ]
  })
  return (await Promise.all(found)).flat()
}

const ENTRA = 'login.microsoftonline.com'

async function ofIssuer({ upstream }: ProviderWarningDeps, provider: Provider): Promise<string[]> {
  const { issuer_url: issuer } = provider
  if (provider.provider !== 'generic' || issuer === undefined) return []
  const { hostname, pathname } = parseUrl(issuer) ?? {}
  const [, tenant = ''] = pathname?.split('/') ?? []
  if (hostname === ENTRA && anyTenant(tenant)) {
    return [
      `tokens of ${tenant} name another issuer for each tenant: use provider: microsoft, microsoft_tenant: ${tenant}`,
    ]
  }
  try {
    await upstream.discover(issuer)
    return []
  } catch (error) {
    const reason = error instanceof HttpError ? (error.reason ?? error.message) : String(error)
    return [`no sign-in with ${provider.id}: ${reason}`]
  }
}

/** Claims that say whether an address was verified. */
const LOOKS = /email_verified|phone_number_verified|xms_edov/

async function ofMapper({ loadText }: ProviderWarningDeps, provider: Provider): Promise<string[]> {
  const text = await loadText(provider.mapper_url).catch((error: Error) => error)
  if (text instanceof Error) return [`no registration with ${provider.id}: the mapper ${text.message}`]
  if (!text.includes('verified_addresses')) return []
  if (provider.provider === 'microsoft' && anyTenant(provider.microsoft_tenant ?? '') && !text.includes('xms_edov')) {
    return [
      'verified_addresses counts only for people whose token says xms_edov: any administrator of any tenant writes the addresses of the others',
    ]
  }
  return LOOKS.test(text)
    ? []
    : ['it lists verified_addresses whatever the provider says of them: look at email_verified']
}

import { createComeBack } from '../flows/continuity/come-back.ts'
import { createTokenExchange } from '../flows/exchange/service.ts'
import { createSeal } from '../kernel/crypto/seal.ts'
import { exchange } from '../kernel/outbound/client.ts'
import { addressRules } from '../kernel/outbound/guard.ts'
import { loadOptions, loadText } from '../kernel/outbound/load.ts'
import { createClaimedRegistrations } from '../methods/oidc/claimed-registration.ts'
import { createLinking, createWaiting } from '../methods/oidc/linking.ts'
import { createMappers } from '../methods/oidc/mapper.ts'
import { createIdTokens } from '../methods/oidc/native/id-token.ts'
import { createProviderSignIn } from '../methods/oidc/sign-in.ts'
import { providerWarnings } from '../methods/oidc/start/warnings.ts'
import { createTokenEndpoint } from '../methods/oidc/token.ts'
import { createUpstream } from '../methods/oidc/upstream.ts'
import { createProviderCallback } from '../methods/oidc/way-back/callback.ts'
import { createStates } from '../methods/oidc/way-back/state.ts'
import { createToldOnce } from '../methods/oidc/way-back/told-once.ts'
import type { FlowParts } from './flows.ts'
import type { composeLogin } from './login.ts'
import type { composeRegistration } from './registration.ts'
import type { Settings } from './settings.ts'

export type Providers = ReturnType<typeof composeProviders>

/** Sign-in with accounts at other providers. */
export function composeProviders({
  config,
  clock,
  random,
  baseUrls,
  continuity,
  cookieSecrets,
  cipher,
  ...d
}: FlowParts) {
  const providerStates = createStates({
    algorithm: () => config().ciphers.algorithm,
    cipher,
    secrets: cookieSecrets,
    random,
  })
  const upstream = createUpstream({
    clock,
    random,
    exchange: (request) => (d.exchange ?? exchange)(request, addressRules(config())),
  })
  const loadMapper = (url: string) => loadText(url, { ...loadOptions(config(), d.cwd), tries: 1 })
  const mappers = createMappers({ config, clock, loadText: loadMapper })
  const claimedRegistrations = createClaimedRegistrations({ config, schemas: d.schemas, mappers, cipher })
  const providers = createProviderSignIn({
    config,
    random,
    continuity,
    upstream,
    publicBaseUrl: baseUrls.public,
    states: providerStates,
    seal: createSeal('lethe upstream session', () => [...(config().secrets.cipher ?? []), ...cookieSecrets()], random),
    tokenEndpoint: createTokenEndpoint(upstream),
  })
  return {
    providerStates,
    comeBack: createComeBack(d.continuityCookie),
    providers,
    claimedRegistrations,
    idTokens: createIdTokens({ providers, claimedRegistrations, identities: d.identities }),
    initCodeOf: d.exchanges.initCodeOf,
    waiting: createWaiting({ identities: d.identities }),
    providerWarnings: () => providerWarnings({ config, upstream, loadText: loadMapper }),
  }
}

type Flows = ReturnType<typeof composeLogin> & ReturnType<typeof composeRegistration> & Settings

/** The callback from a provider. */
export function composeProviderCallback(d: FlowParts & Providers & Flows) {
  const { config, clock, cipher, login, identities, providers } = d
  const providerCallback = createProviderCallback({
    clock,
    providers,
    login,
    identities,
    states: d.providerStates,
    continuity: d.continuity,
    registration: d.registration,
    settings: d.settings,
    sessions: d.sessions,
    exchanges: d.exchanges,
    urls: d.flowUrls,
    claimedRegistrations: d.claimedRegistrations,
    toldOnce: createToldOnce({ continuity: d.continuity }),
    linking: createLinking({ sessions: d.sessions, config, cipher, providers, login, identities, urls: d.flowUrls }),
  })
  return { providerCallback, tokenExchange: createTokenExchange(d) }
}

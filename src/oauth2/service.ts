import type { Config } from '../config/schema/schema.ts'
import type { Flow } from '../flows/types.ts'
import { requestedLoginChallenge } from '../flows/urls.ts'
import { uuid } from '../kernel/base/uuid.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import { badRequest } from '../kernel/http/errors.ts'
import { withQuery } from '../kernel/http/query.ts'
import type { Session } from '../sessions/types.ts'
import type { LoginRequest, Oauth2AdminClient } from './admin-client.ts'

export interface Oauth2Deps {
  config(): Config
  random: Random
  client: Oauth2AdminClient
}

/** The identity that has signed in, and how. */
export interface SignedInPerson {
  identityId: string
  /** undefined after a registration without a session */
  session: Pick<Session, 'id' | 'authentication_methods'> | undefined
  /** the method of a registration without a session */
  method?: string
}

type Asking = Pick<Flow, 'type' | 'request_url'>

export type Oauth2 = ReturnType<typeof createOauth2>

/** The login and consent app of an OAuth2 server: it sends browsers here with a challenge, and learns who has signed in. */
export function createOauth2({ config, random, client }: Oauth2Deps) {
  /** Apps have no browser that could be sent back: their challenge is stored, and the server is not asked. */
  const challengeOf = ({ type, request_url }: Asking) =>
    type === 'browser' ? requestedLoginChallenge(request_url) : undefined

  async function requestOf(flow: Asking): Promise<LoginRequest | undefined> {
    const challenge = challengeOf(flow)
    return challenge === undefined ? undefined : client.get(challenge)
  }

  return {
    challengeOf,

    /**
     * The login request of the challenge in a flow's URL; undefined without one.
     * @throws HttpError 400 for an impossible challenge, 500 where no server is configured or it does not answer
     */
    async asked(flow: Asking): Promise<LoginRequest | undefined> {
      const challenge = requestedLoginChallenge(flow.request_url)
      if (challenge === undefined) return undefined
      if (/\p{Cc}/u.test(challenge)) throw badRequest('the login_challenge parameter holds control characters')
      client.assertConfigured()
      if (challenge === '') throw badRequest('the login_challenge parameter is present but empty')
      return challengeOf(flow) === undefined ? undefined : client.get(challenge)
    },

    /** The URL of a login, as the server wants it: a fresh sign-in unless it says otherwise. */
    loginUrl(requestUrl: string, { skip, request_url: began }: LoginRequest): string {
      return withQuery(requestUrl, {
        ...(skip ? {} : { refresh: 'true' }),
        ...(config().oauth2_provider.override_return_to ? { return_to: began } : {}),
      })
    },

    /** The login request of a flow, for the page that shows it. @throws HttpError as `asked` */
    requestOf,

    /** The same for a form that is shown again, which can do without it. */
    requestIfKnown: (flow: Asking): Promise<LoginRequest | undefined> => requestOf(flow).catch(() => undefined),

    /** @returns where to send the browser. @throws HttpError 500 */
    accept(challenge: string, { identityId, session, method = '' }: SignedInPerson): Promise<string> {
      const { lifespan, cookie } = config().session
      return client.accept(challenge, {
        subject: identityId,
        identity_provider_session_id: session?.id ?? uuid(random),
        remember: cookie.persistent,
        remember_for: Math.trunc(lifespan / 1000),
        amr: session?.authentication_methods.map((one) => one.method) ?? [method],
      })
    },
  }
}

/** Whether the server means this identity, or names none. */
export const means = ({ subject }: LoginRequest, identityId: string): boolean =>
  subject === '' || subject === identityId

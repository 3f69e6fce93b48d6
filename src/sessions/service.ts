import type { Config } from '../config/schema/schema.ts'
import { aalOf } from '../credentials/aal.ts'
import type { IdentityAnswers } from '../identities/answers.ts'
import type { Identity } from '../identities/types.ts'
import { type Clock, formatTime, type Micros } from '../kernel/base/clock.ts'
import { uuid } from '../kernel/base/uuid.ts'
import {
  derivedLogoutToken,
  logoutPlaceholder,
  newLogoutToken,
  newSessionToken,
  type Random,
  restingForms,
  storedToken,
  type TokenMode,
} from '../kernel/crypto/tokens.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { isUsable, sessionAnswer, sessionText } from './answer.ts'
import type { LastSeen } from './last-seen.ts'
import { methodsOf, toSession } from './row.ts'
import type { SessionStore, Which } from './store.ts'
import type { SessionHotStore } from './store-hot.ts'
import type {
  AuthenticationMethod,
  Checked,
  Credentials,
  DeviceFacts,
  EndCause,
  OnEnded,
  Resolved,
  Session,
  SessionRow,
  Via,
} from './types.ts'

export interface SessionServiceDeps {
  config(): Config
  clock: Clock
  random: Random
  store: Pick<SessionStore, 'insert' | 'refresh' | 'revokeAllOf'>
  hot: SessionHotStore
  lastSeen: Pick<LastSeen, 'note'>
  tokens: TokenMode
  /** whether Kratos made the tables: then the database knows from one moment to the next how tokens rest */
  shared: boolean
  /** logout tokens are derived from it where session tokens are stored as hashes */
  serverSecret: Uint8Array
  identityAnswers: Pick<IdentityAnswers, 'toPublic' | 'toPublicText'>
  onEnded?: OnEnded
}

/** Sessions: the one place that decides who a request belongs to, and the only one that begins or ends a session. */
export interface SessionService {
  /** The session that counts for a request, or undefined. Precedence: X-Session-Token, cookie, Bearer. */
  resolve(credentials: Credentials): Promise<Resolved | undefined>
  /** The same session, unparsed: for what happens at every click. */
  check(credentials: Credentials): Promise<Checked | undefined>
  /** All that live of the kind that counts, the one that counts first: a browser may send several cookies. */
  checkAll(credentials: Credentials): Promise<Checked[]>
  /** Whether any credential of a request belongs to a session that lets someone in, also one that does not count. */
  anyLive(credentials: Credentials): Promise<boolean>
  /** Begins a session. With `tx`, as part of the caller's transaction. */
  issue(input: NewSessionInput, tx?: Queryable): Promise<{ session: Session; token: string }>
  /** Renews a session by a proof given again; undefined when it ended meanwhile, and then nothing is written. */
  refresh(session: Session, method: string): Promise<Session | undefined>
  /** Ends one session. Idempotent. @returns whether this call ended it */
  revoke(session: Pick<Session, 'id'>, cause: EndCause): Promise<boolean>
  /** Ends the session of a token. @returns whether the token is known, ended before or not */
  revokeByToken(token: string, cause: EndCause): Promise<boolean>
  /** Ends sessions of an identity in one statement: all, all but one, or those named. @returns the ids that this call ended */
  revokeAllOf(identityId: string, cause: EndCause, options?: Which & { tx?: Queryable }): Promise<string[]>
  /** The secret that a browser logout must bring back. */
  logoutToken(session: Pick<Session, 'id' | 'logout_token'>): string
  /** Whether the session needs a second factor that its identity has, under `session.whoami.required_aal`. */
  lacksSecondFactor(session: Session | SessionRow): boolean
  /** The session as clients see it (member order as Kratos). */
  answer(session: Session): Record<string, unknown>
  /** The JSON text of the same. */
  answerText(session: SessionRow): string
}

export interface NewSessionInput {
  identity: Identity
  method: string
  device: DeviceFacts
}

export function createSessions(d: SessionServiceDeps): SessionService {
  const now = () => formatTime(d.clock.now())
  const endOf = (start: Micros) => formatTime(start + Math.trunc(d.config().session.lifespan * 1000))

  const stored = (token: string) => (d.shared ? restingForms(token) : [storedToken(token, d.tokens)])

  async function usable(token: string): Promise<SessionRow | undefined> {
    const session = await d.hot.byToken(stored(token))
    return session && isUsable(session, session.state, d.clock.now()) ? session : undefined
  }

  async function check(credentials: Credentials): Promise<Checked | undefined> {
    const [first] = await checkAll(credentials)
    if (first) d.lastSeen.note(first.session.id)
    return first
  }

  /** Looked up at once, so that they share a statement. */
  async function checkAll(credentials: Credentials): Promise<Checked[]> {
    const found = await Promise.all(
      counting(credentials).map(async ({ token, via }) => ({ session: await usable(token), token, via })),
    )
    return found.filter((one): one is Checked => one.session !== undefined)
  }

  return {
    check,
    checkAll,
    async resolve(credentials) {
      const checked = await check(credentials)
      return checked && { ...checked, session: toSession(checked.session) }
    },

    async anyLive({ sessionToken, cookieTokens, bearer }) {
      const tokens = [sessionToken, ...cookieTokens, bearer].filter((token) => token !== undefined)
      return (await Promise.all(tokens.map(usable))).some((session) => session !== undefined)
    },

    async issue({ identity, method, device }, tx) {
      const session = newSession(d, endOf, identity, method, device)
      const token = newSessionToken(d.random)
      const hashed = { token: storedToken(token, 'sha256'), logoutToken: logoutPlaceholder(session.id) }
      const plain = { token, logoutToken: newLogoutToken(d.random) }
      session.logout_token = await d.store.insert(
        {
          id: session.id,
          ...(d.tokens === 'sha256' && !d.shared ? hashed : plain),
          ...(d.shared ? { hardened: hashed } : {}),
          identityId: identity.id,
          now: session.issued_at,
          expiresAt: session.expires_at,
          aal: session.aal,
          methods: session.authentication_methods,
          device: session.devices[0]!,
        },
        tx,
      )
      return { session, token }
    },

    async refresh(session, methodName) {
      const start = d.clock.now()
      const method: AuthenticationMethod = { method: methodName, aal: 'aal1', completed_at: formatTime(start) }
      const methods = [...session.authentication_methods, method]
      const renewal = { now: formatTime(start), expiresAt: endOf(start), aal: aalOf(methods), method }
      if (!(await d.store.refresh(session.id, renewal))) return undefined
      return {
        ...session,
        expires_at: renewal.expiresAt,
        authenticated_at: renewal.now,
        aal: renewal.aal,
        authentication_methods: methods,
      }
    },

    revoke: (session, cause) => d.hot.revoke(session.id, cause),
    revokeByToken: (token, cause) => d.hot.revokeByToken(stored(token), cause),
    async revokeAllOf(identityId, cause, options) {
      const ended = await d.store.revokeAllOf(identityId, cause, now(), options ?? {}, options?.tx)
      d.onEnded?.(cause, ended.length)
      return ended
    },
    // One that Kratos stored is kept as long as its session: it stands in pages that are open.
    logoutToken: ({ id, logout_token: kept }) =>
      kept === '' || kept === logoutPlaceholder(id) ? derivedLogoutToken(d.serverSecret, id) : kept,
    lacksSecondFactor: (session) =>
      d.config().session.whoami.required_aal === 'highest_available' &&
      session.second_factor &&
      aalOf(methodsOf(session)) !== 'aal2',
    answer: (session) => sessionAnswer(session, d.clock.now(), d.identityAnswers.toPublic),
    answerText: (session) => sessionText(session, d.clock.now(), d.identityAnswers.toPublicText(session)),
  }
}

/**
 * What counts: one kind of credential, and nothing weaker repairs it when it is unknown. A browser may send several
 * cookies of the name, left over from another path or domain; those that have ended do not hide the one that lives.
 */
function counting({ sessionToken, cookieTokens, bearer }: Credentials): { token: string; via: Via }[] {
  if (sessionToken !== undefined) return [{ token: sessionToken, via: 'header' }]
  if (cookieTokens.length > 0) return cookieTokens.map((token) => ({ token, via: 'cookie' }))
  return bearer === undefined ? [] : [{ token: bearer, via: 'bearer' }]
}

function newSession(
  d: SessionServiceDeps,
  endOf: (start: Micros) => string,
  identity: Identity,
  method: string,
  device: DeviceFacts,
): Session {
  const start = d.clock.now()
  const time = formatTime(start)
  const id = uuid(d.random)
  return {
    id,
    identity_id: identity.id,
    active: true,
    issued_at: time,
    expires_at: endOf(start),
    authenticated_at: time,
    aal: 'aal1',
    authentication_methods: [{ method, aal: 'aal1', completed_at: time }],
    logout_token: '',
    devices: [{ id: uuid(d.random), ...device }],
    identity,
    second_factor: identity.available_aal === 'aal2',
    tombstoned: false,
  }
}

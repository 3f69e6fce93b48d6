import type { Config } from '../config/schema/schema.ts'
import { aalOf } from '../credentials/aal.ts'
import { counts } from '../credentials/available-aal.ts'
import type { IdentityAnswers } from '../identities/answers.ts'
import type { IdentityLocks } from '../identities/store-locks.ts'
import { type Clock, formatTime, type Micros, parseTime } from '../kernel/base/clock.ts'
import {
  derivedLogoutToken,
  logoutPlaceholder,
  newLogoutToken,
  newSessionToken,
  type Random,
  storedForms,
  storedToken,
  type TokenMode,
} from '../kernel/crypto/tokens.ts'
import { NotLocked, type Queryable } from '../kernel/db/client.ts'
import { sessionAnswer, sessionText } from './answer.ts'
import { hasSecondFactor, isStale } from './assurance.ts'
import { makeRoom, type NewSession, newSession } from './begin.ts'
import type { LastSeen } from './last-seen.ts'
import { isLive } from './lifecycle.ts'
import { toSession } from './row.ts'
import { endsOf, lastEndOf, type Rule, type SessionRules } from './rules.ts'
import type { OnBehalfOf, SessionSelection, SessionStore } from './store.ts'
import type { SessionHotStore } from './store-hot.ts'
import { noteUpstream, type UpstreamSignIn } from './store-upstream.ts'
import type {
  AuthenticationMethod,
  Checked,
  Credentials,
  EndCause,
  EndDetails,
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
  store: SessionStore
  locks: Pick<IdentityLocks, 'query' | 'tx'>
  hot: SessionHotStore
  rules: Pick<SessionRules, 'of'>
  lastSeen: Pick<LastSeen, 'note'>
  tokens: TokenMode
  /** whether Kratos made the tables: then the storage of tokens may change at any moment, and the database knows it */
  shared: boolean
  /** logout tokens are derived from it where session tokens are stored as hashes */
  serverSecret: Uint8Array
  identityAnswers: Pick<IdentityAnswers, 'toPublic' | 'toPublicText'>
  onEnded?: OnEnded
}

/** Sessions: the one place that decides which session a request has, and the only one that begins or ends sessions. */
export interface SessionService {
  /** The session of a request, or undefined. Precedence: X-Session-Token, cookie, Bearer. */
  resolve(credentials: Credentials): Promise<Resolved | undefined>
  /** The same without counting as a use of the session, for callers that only look. */
  peek(credentials: Credentials): Promise<Resolved | undefined>
  /** The same session, unparsed: for requests at every click. */
  check(credentials: Credentials): Promise<Checked | undefined>
  /**
   * All sessions that have not ended of the credential that counts, in order: a browser may send several cookies. Those
   * of disabled identities come last: they are refused now, but would count again once the identity is enabled.
   */
  allLeft(credentials: Credentials): Promise<Checked[]>
  /** Whether any credential of a request belongs to a session that has not ended, also one that does not count. */
  anyLeft(credentials: Credentials): Promise<boolean>
  /** All that have ended of those that the cookies of a request name; none while one of them is left. */
  allEnded(credentials: Pick<Credentials, 'cookieTokens'>): Promise<SessionRow[]>
  /**
   * The session as it is now, locked together with its identity until the transaction ends; undefined when it has ended.
   * @throws NotLocked
   */
  hold(session: Session, tx: Queryable): Promise<Session | undefined>
  /** The session that `issue` would begin, for callers that need it before. Pass its id to `issue`. */
  draft(input: NewSessionInput): Session
  /** Begins a session. @throws NotLocked also when the identity is disabled or its password has changed meanwhile */
  issue(input: NewSessionInput, tx?: Queryable): Promise<{ session: Session; token: string }>
  /** Renews a session after a fresh proof. @throws NotLocked as `issue`, and when the session has ended */
  refresh(session: Session, proof: Proof, tx: Queryable): Promise<Session>
  /**
   * Adds a further proof, e.g. of a second factor that was just set up, which may raise the level. Nothing else of the session
   * changes: neither its end nor its freshness. @throws NotLocked also when the session has ended
   */
  raise(session: Session, proof: Omit<Proof, 'passwordHash'>, tx: Queryable): Promise<AuthenticationMethod>
  /** Ends one session. Idempotent. @returns whether this call ended it */
  revoke(session: Pick<Session, 'id'>, cause: EndCause, details?: EndDetails): Promise<boolean>
  /** Ends the session of a token. @returns whether the token is known, ended before or not */
  revokeByToken(token: string, cause: EndCause, details?: EndDetails): Promise<boolean>
  /** Ends sessions of an identity in one statement: all, all but one, or those named. @returns the ids that this call ended */
  revokeAllOf(
    identityId: string,
    cause: EndCause,
    options?: SessionSelection & EndDetails & { tx?: Queryable },
  ): Promise<string[]>
  /** The same on behalf of a session of the identity. @returns undefined when that one has ended: then none ends */
  revokeBy(by: OnBehalfOf, identityId: string, cause: EndCause, which?: SessionSelection): Promise<string[] | undefined>
  /** The secret that a browser must present to log out. */
  logoutToken(session: Pick<Session, 'id' | 'logout_token'>): string
  /** Whether the session needs a second factor that its identity has, under `session.whoami.required_aal`. */
  lacksSecondFactor(session: Session | SessionRow): boolean
  /** Whether the owner has to sign in again before the session counts, under `lethe.sessions.require_fresh`. */
  lacksFreshProof(session: Session | SessionRow): boolean
  /** The limits of `lethe.sessions` for the session. */
  ruleOf(session: Session | SessionRow): Rule
  /** The session as clients see it (member order as Kratos). */
  answer(session: Session): Record<string, unknown>
  /** The JSON text of the same. */
  answerText(session: SessionRow): string
}

/** What the caller has just proved. */
export interface Proof {
  authentication: Omit<AuthenticationMethod, 'completed_at'>
  /** the hash that the password was checked against */
  passwordHash?: string | undefined
  /** where a provider has checked it */
  upstream?: UpstreamSignIn | undefined
}

export type NewSessionInput = Proof & Omit<NewSession, 'authentication'>

export function createSessions(d: SessionServiceDeps): SessionService {
  const now = () => formatTime(d.clock.now())
  const ruleOf = (session: Session | SessionRow) =>
    d.rules.of('identity' in session ? session.identity.schema_id : session.schema_id)
  const endsNow = (rule: Rule, now: Micros, issuedAt = now) =>
    endsOf(rule, { now, issuedAt, lifespanMs: d.config().session.lifespan })

  const stored = (token: string) => (d.shared ? storedForms(token) : [storedToken(token, d.tokens)])

  const letsIn = (session: SessionRow) => isLive(session, session.state, d.clock.now())
  const isLeft = (session: SessionRow) => isLive(session, undefined, d.clock.now())

  function begun(input: NewSessionInput) {
    const rule = d.rules.of(input.identity.schema_id)
    const start = d.clock.now()
    return { rule, session: newSession(d, { start, ...endsNow(rule, start) }, input) }
  }

  /** Looked up together, so that they share a statement. */
  async function all(credentials: Credentials): Promise<Checked[]> {
    const found = await Promise.all(
      candidates(credentials).map(async ({ token, via }) => ({
        session: await d.hot.byToken(stored(token)),
        token,
        via,
      })),
    )
    return found.filter((one): one is Checked => one.session !== undefined)
  }

  const look = async (credentials: Credentials) => (await all(credentials)).find(({ session }) => letsIn(session))

  async function check(credentials: Credentials): Promise<Checked | undefined> {
    const checked = await look(credentials)
    if (checked) d.lastSeen.note(checked.session)
    return checked
  }

  const resolved = (checked: Checked | undefined) => checked && { ...checked, session: toSession(checked.session) }

  async function revokeAll(
    identityId: string,
    cause: EndCause,
    { tx, ...which }: SessionSelection & EndDetails & { tx?: Queryable; by?: OnBehalfOf },
  ) {
    const end = (on: Queryable) => d.store.revokeAllOf({ ...which, identityId, cause, now: now() }, on)
    const ended = await (tx ? end(tx) : d.locks.query({ identity: identityId }, end).catch(noIdentity))
    d.onEnded?.(cause, ended?.length ?? 0)
    return ended
  }

  return {
    check,
    resolve: async (credentials) => resolved(await check(credentials)),
    peek: async (credentials) => resolved(await look(credentials)),
    async allLeft(credentials) {
      const left = (await all(credentials)).filter(({ session }) => isLeft(session))
      return [...left.filter(({ session }) => letsIn(session)), ...left.filter(({ session }) => !letsIn(session))]
    },

    async anyLeft({ sessionToken, cookieTokens, bearer }) {
      const tokens = [sessionToken, ...cookieTokens, bearer].filter((token) => token !== undefined)
      const sessions = await Promise.all(tokens.map((token) => d.hot.byToken(stored(token))))
      return sessions.some((session) => session && isLeft(session))
    },

    async allEnded({ cookieTokens }) {
      const sessions = (await all({ sessionToken: undefined, cookieTokens, bearer: undefined })).map(
        (one) => one.session,
      )
      return sessions.some(isLeft) ? [] : sessions
    },

    async hold({ id, identity_id }, tx) {
      const session = await d.store.lock(id, identity_id, tx)
      return isLive(session, session.identity.state, d.clock.now()) ? session : undefined
    },

    draft: (input) => begun(input).session,

    async issue(input, tx) {
      const { identity, passwordHash, upstream } = input
      const { session, rule } = begun(input)
      const token = newSessionToken(d.random)
      const hashed = { token: storedToken(token, 'sha256'), logoutToken: logoutPlaceholder(session.id) }
      const plain = { token, logoutToken: newLogoutToken(d.random) }
      const row = {
        id: session.id,
        ...(d.tokens === 'sha256' && !d.shared ? hashed : plain),
        ...(d.shared ? { hardened: hashed } : {}),
        identityId: identity.id,
        passwordHash,
        now: session.issued_at,
        expiresAt: lastEndOf(session),
        aal: session.aal,
        methods: session.authentication_methods,
        device: session.devices[0]!,
      }
      const insert = async (on: Queryable) => {
        await makeRoom(d, identity.id, rule, session.issued_at, on)
        const logoutToken = await d.store.insert(row, on)
        if (upstream) await noteUpstream(session.id, upstream, session.issued_at, on)
        return logoutToken
      }
      const { query, tx: alone } = d.locks
      const single = rule.max === undefined && upstream === undefined
      session.logout_token = await (tx ? insert(tx) : (single ? query : alone)({ identity: identity.id }, insert))
      return { session, token }
    },

    async refresh(session, { authentication, passwordHash, upstream }, tx) {
      const start = d.clock.now()
      const method: AuthenticationMethod = { ...authentication, completed_at: formatTime(start) }
      const methods = [...session.authentication_methods, method]
      const { last, next } = endsNow(ruleOf(session), start, parseTime(session.issued_at))
      const renewal = { now: formatTime(start), expiresAt: formatTime(last), aal: aalOf(methods), method }
      await d.store.refresh(session.id, { ...renewal, identityId: session.identity_id, passwordHash }, tx)
      if (upstream) await noteUpstream(session.id, upstream, renewal.now, tx)
      return {
        ...session,
        expires_at: formatTime(next),
        lasts_until: renewal.expiresAt,
        authenticated_at: renewal.now,
        aal: renewal.aal,
        authentication_methods: methods,
      }
    },

    async raise(session, { authentication, upstream }, tx) {
      const time = now()
      const method: AuthenticationMethod = { ...authentication, completed_at: time }
      const aal = aalOf([...session.authentication_methods, method])
      await d.store.raise(session.id, { identityId: session.identity_id, now: time, aal, method }, tx)
      if (upstream) await noteUpstream(session.id, upstream, time, tx)
      return method
    },

    revoke: (session, cause, details) => d.hot.revoke(session.id, { ...details, cause }),
    revokeByToken: (token, cause, details) => d.hot.revokeByToken(stored(token), { ...details, cause }),
    revokeAllOf: async (identityId, cause, options = {}) => (await revokeAll(identityId, cause, options)) ?? [],
    revokeBy: (by, identityId, cause, which = {}) => revokeAll(identityId, cause, { ...which, by }),
    // A token that Kratos stored stays valid as long as its session: open pages hold it.
    logoutToken: ({ id, logout_token: kept }) =>
      kept === '' || kept === logoutPlaceholder(id) ? derivedLogoutToken(d.serverSecret, id) : kept,
    lacksSecondFactor: (session) =>
      d.config().session.whoami.required_aal === 'highest_available' &&
      counts(session.second_factor, d.config().selfservice.methods.code) &&
      !hasSecondFactor(session, ruleOf(session), d.clock.now()),
    lacksFreshProof: (session) => isStale(session, ruleOf(session), d.clock.now()),
    ruleOf,
    answer: (session) => sessionAnswer(session, d.clock.now(), d.identityAnswers.toPublic),
    answerText: (session) => sessionText(session, d.clock.now(), d.identityAnswers.toPublicText(session)),
  }
}

/**
 * The credentials that count: of one kind, and a weaker kind does not replace an unknown one. A browser may send several
 * cookies of the name, left over from another path or domain; an ended session does not hide a live one.
 */
function candidates({ sessionToken, cookieTokens, bearer }: Credentials): { token: string; via: Via }[] {
  if (sessionToken !== undefined) return [{ token: sessionToken, via: 'header' }]
  if (cookieTokens.length > 0) return cookieTokens.map((token) => ({ token, via: 'cookie' }))
  return bearer === undefined ? [] : [{ token: bearer, via: 'bearer' }]
}

/** A deleted identity has no sessions. */
function noIdentity(error: unknown): string[] {
  if (error instanceof NotLocked) return []
  throw error
}

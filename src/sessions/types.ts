import type { SecondFactor } from '../credentials/available-aal.ts'
import type { Identity, IdentityRow } from '../identities/types.ts'
import type { Timestamp } from '../kernel/base/clock.ts'

export type Aal = 'aal1' | 'aal2'

export interface AuthenticationMethod {
  method: string
  aal: Aal | ''
  completed_at: Timestamp
  /** the provider that authenticated the person, if any */
  provider?: string
  /** that the provider belongs to */
  organization?: string
}

export interface Device {
  id: string
  ip_address: string
  /** null where the request had none */
  user_agent: string | null
  location: string
}

/** The device at sign-in, read from the request by `http/device.ts`. */
export type DeviceFacts = Omit<Device, 'id'>

/** A session row with its identity and devices. `active` is the stored flag; see `isLive`. */
export interface Session {
  id: string
  identity_id: string
  active: boolean
  issued_at: Timestamp
  /** when it ends unless it is used again, by `session.lifespan` and the rules */
  expires_at: Timestamp
  /** when it ends at the latest, however much it is used; undefined: as `expires_at` */
  lasts_until?: Timestamp | undefined
  authenticated_at: Timestamp
  aal: string
  authentication_methods: AuthenticationMethod[]
  /** stored secret of the browser logout; empty where it is derived from the session id */
  logout_token: string
  devices: Device[]
  identity: Identity
  /** the second factors of the identity, by its credentials or its flag */
  second_factor: SecondFactor
  /** ended by Lethe, although another program of a shared database set it active again */
  tombstoned: boolean
}

/**
 * A session and its identity as one row of a statement. JSON members are texts: a check of a session needs
 * little of them, and its answer all of them unchanged.
 */
export type SessionRow = Omit<Session, 'identity' | 'authentication_methods' | 'devices'> &
  Omit<IdentityRow, 'id'> & { token: string; authentication_methods: string; devices: string | null }

/** The credentials of a request, unread: the resolver alone decides which one counts. */
export interface Credentials {
  /** header X-Session-Token; an empty string counts as absent */
  sessionToken: string | undefined
  /** session tokens of all readable session cookies, first one first */
  cookieTokens: readonly string[]
  /** token of `Authorization: Bearer` */
  bearer: string | undefined
}

/** Where the session's credential came from, so that answers know whether to clear a cookie. */
export type Via = 'header' | 'cookie' | 'bearer'

export interface Found<S> {
  session: S
  via: Via
  /** the session token that was presented */
  token: string
}

/** The session of a request, with its identity and devices. */
export type Resolved = Found<Session>
/** The same for requests at every click: as it came from the database. */
export type Checked = Found<SessionRow>

/** Which sessions a list shows, by their own row alone, whatever the state of the identity. */
export type ActiveFilter = 'any' | 'active' | 'inactive'

export const END_CAUSES = [
  'logout',
  'revoked_by_user',
  'revoked_by_admin',
  'expired',
  'identity_disabled',
  'identity_deleted',
  'credentials_changed',
  'recovery',
  'limit',
  'idle',
  'absolute',
  'ended_elsewhere',
] as const
export type EndCause = (typeof END_CAUSES)[number]

/** The actor of an event. For an identity also its id; for another program in a shared database, what the database shows of it. */
export interface Actor {
  type: 'identity' | 'admin' | 'system' | 'database'
  id?: string
  role?: string
  application?: string
}

/** What is recorded with an end beside its cause: the actor where the cause does not imply it, and further data. */
export interface EndDetails {
  actor?: Actor | undefined
  data?: Record<string, unknown> | undefined
}

export interface End extends EndDetails {
  cause: EndCause
}

/** Called for ends after the statement has run, also if the transaction is rolled back later. */
export type OnEnded = (cause: EndCause, count: number) => void

import type { Identity, IdentityRow } from '../identities/types.ts'
import type { Timestamp } from '../kernel/base/clock.ts'

export type Aal = 'aal1' | 'aal2'

export interface AuthenticationMethod {
  method: string
  aal: Aal | ''
  completed_at: Timestamp
  /** who checked it, where a provider did */
  provider?: string
  /** that the provider belongs to */
  organization?: string
}

export interface Device {
  id: string
  ip_address: string
  user_agent: string
  location: string
}

/** What is noted of the device at sign-in, read from the request by `http/device.ts`. */
export type DeviceFacts = Omit<Device, 'id'>

/** A session row with its identity and devices. `active` is the stored flag; see `isLive`. */
export interface Session {
  id: string
  identity_id: string
  active: boolean
  issued_at: Timestamp
  /** when it ends if nobody uses it again, by `session.lifespan` and the rules */
  expires_at: Timestamp
  /** when it ends at the latest, however much it is used; undefined: as `expires_at` */
  lasts_until?: Timestamp | undefined
  authenticated_at: Timestamp
  aal: string
  authentication_methods: AuthenticationMethod[]
  /** secret of browser logout as stored; empty where it is derived from the session id */
  logout_token: string
  devices: Device[]
  identity: Identity
  /** whether the identity has a second factor set up, by its flag or by its credentials */
  second_factor: boolean
  /** ended by us, although another writer of a shared database set it active again */
  tombstoned: boolean
}

/**
 * A session and its identity as one row of a statement. What is JSON stands as its text: a check of a session needs
 * little of it, and its answer all of it as it is.
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

/** How a session was found, so that answers know whether a cookie is to be cleared. */
export type Via = 'header' | 'cookie' | 'bearer'

export interface Found<S> {
  session: S
  via: Via
  /** the session token that was presented */
  token: string
}

/** The session that counts for a request, with all that belongs to it. */
export type Resolved = Found<Session>
/** The same for what happens at every click: as it came from the database. */
export type Checked = Found<SessionRow>

/** Which sessions a list shows: by their own row alone, whatever the state of the identity. */
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

/** Who caused an event. Of an identity also the id; of another program in a shared database what the database knows of it. */
export interface Actor {
  type: 'identity' | 'admin' | 'system' | 'database'
  id?: string
  role?: string
  application?: string
}

/** What is recorded with an end beside its cause: who did it where the cause does not say, and what else there is to tell. */
export interface EndDetails {
  actor?: Actor | undefined
  data?: Record<string, unknown> | undefined
}

export interface End extends EndDetails {
  cause: EndCause
}

/** Hears of ends when the statement has run; one that a transaction takes back is told all the same. */
export type OnEnded = (cause: EndCause, count: number) => void

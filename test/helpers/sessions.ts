import { randomUUID } from 'node:crypto'
import type { Identity } from '../../src/identities/types.ts'
import type { Timestamp } from '../../src/kernel/base/clock.ts'
import { type Db, type Row, sql } from '../../src/kernel/db/client.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { createSessionHotStore } from '../../src/sessions/store-hot.ts'
import { isAdopted } from './db.ts'
import type { TestServer } from './server.ts'

const ADD_NETWORK = sql(
  'test.add_network_sessions',
  'insert into networks (id, created_at, updated_at) values ($1, current_timestamp, current_timestamp)',
)
const ADD_IDENTITY = sql(
  'test.add_identity_sessions',
  `insert into identities (id, schema_id, traits, created_at, updated_at, nid, state)
   values ($1, 'default', '{"email": "a@example.com"}', current_timestamp, current_timestamp, $2, 'active')`,
)
const EVENTS = sql(
  'test.events',
  `select type, cause, session_id, identity_id from lethe.events where type = 'session.ended' order by session_id`,
)

export const T0: Timestamp = '2026-11-22T12:00:00Z'
/** one day after `T0` */
export const T1: Timestamp = '2026-11-23T12:00:00Z'

/** A network with one identity, and rows of sessions written by the real store. */
export async function sessionRows(db: Db, options: { shared?: boolean } = {}) {
  const nid = randomUUID()
  await db.query(ADD_NETWORK, [nid])
  const shared = options.shared ?? (await isAdopted(db))
  const store = createSessionStore(db, nid, shared)
  const hot = createSessionHotStore(db, nid, { shared, now: () => T0 })
  const addIdentity = async () => {
    const id = randomUUID()
    await db.query(ADD_IDENTITY, [id, nid])
    return id
  }
  const identityId = await addIdentity()
  return {
    nid,
    shared,
    store,
    hot,
    identityId,
    addIdentity,
    /** a session that lasts from `now` to `expiresAt` */
    async add(given: { now?: Timestamp; expiresAt?: Timestamp; of?: string; id?: string } = {}): Promise<string> {
      const id = given.id ?? randomUUID()
      const now = given.now ?? T0
      await store.insert({
        id,
        token: randomUUID(),
        logoutToken: `lo_${id.replaceAll('-', '')}`,
        identityId: given.of ?? identityId,
        now,
        expiresAt: given.expiresAt ?? T1,
        aal: 'aal1',
        methods: [{ method: 'password', aal: 'aal1', completed_at: now }],
        device: { id: randomUUID(), ip_address: '192.0.2.1', user_agent: 'test', location: '' },
      })
      return id
    },
    /** what the event log tells about ends, sorted by session */
    ends: () => db.query<Row>(EVENTS),
  }
}

const ENDS_OF = sql(
  'test.ends_of',
  `select cause from lethe.events where type = 'session.ended' and session_id = $1 order by seq`,
)
const SET_AAL2 = sql('test.set_aal2', `update identities set available_aal = 'aal2' where id = $1`)

const DEVICE = { ip_address: '192.0.2.1', user_agent: 'test', location: '' }

/** A session that a running server has issued, of a new identity unless one is given. */
export async function signedIn({ db, deps, publicUrl }: TestServer, identity?: Identity) {
  const of = identity ?? (await newIdentity(db, deps.meta.nid))
  const { session, token } = await deps.sessions.issue({
    identity: of,
    authentication: { method: 'password', aal: 'aal1' },
    device: DEVICE,
  })
  const headers = { 'x-session-token': token }
  return {
    session,
    token,
    headers,
    /** the status that the session gets */
    whoami: async () => (await fetch(`${publicUrl}/sessions/whoami`, { headers })).status,
    /** what the event log tells about its end */
    ends: () => db.query<{ cause: string }>(ENDS_OF, [session.id]),
  }
}

export async function secondFactorFor(db: Db, identityId: string): Promise<void> {
  await db.query(SET_AAL2, [identityId])
}

async function newIdentity(db: Db, nid: string): Promise<Identity> {
  const id = randomUUID()
  await db.query(ADD_IDENTITY, [id, nid])
  return {
    ...{ id, schema_id: 'default', state: 'active', state_changed_at: null, traits: { email: 'a@example.com' } },
    ...{ metadata_public: null, metadata_admin: null, external_id: null, organization_id: null, available_aal: null },
    ...{ created_at: T0, updated_at: T0, verifiable_addresses: [], recovery_addresses: [] },
  }
}

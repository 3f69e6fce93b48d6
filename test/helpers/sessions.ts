import { randomUUID } from 'node:crypto'
import type { Timestamp } from '../../src/clock.ts'
import { type Db, type Row, sql } from '../../src/db/client.ts'
import { createSessionStore } from '../../src/features/sessions/store.ts'

const ADD_NETWORK = sql(
  'test.add_network',
  'insert into networks (id, created_at, updated_at) values ($1, current_timestamp, current_timestamp)',
)
const ADD_IDENTITY = sql(
  'test.add_identity',
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
export async function sessionRows(db: Db, options: { shared: boolean } = { shared: false }) {
  const nid = randomUUID()
  await db.query(ADD_NETWORK, [nid])
  const store = createSessionStore(db, nid, options.shared)
  const addIdentity = async () => {
    const id = randomUUID()
    await db.query(ADD_IDENTITY, [id, nid])
    return id
  }
  const identityId = await addIdentity()
  return {
    nid,
    store,
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

import { randomBytes, randomUUID } from 'node:crypto'
import { type IdentityBody, readCreateBody } from '../../src/identities/admin/bodies.ts'
import { createIdentityAnswers } from '../../src/identities/answers.ts'
import { createSchemas } from '../../src/identities/schema/schemas.ts'
import { createIdentities } from '../../src/identities/service.ts'
import { createIdentityStore } from '../../src/identities/store.ts'
import { createAddressStore } from '../../src/identities/store-addresses.ts'
import { createIdentityLocks } from '../../src/identities/store-locks.ts'
import { createIdentityWriter } from '../../src/identities/store-write.ts'
import { type Clock, parseTime } from '../../src/kernel/base/clock.ts'
import { type Db, type Row, sql } from '../../src/kernel/db/client.ts'
import { createLimiter } from '../../src/kernel/db/limiter.ts'
import { createErasure } from '../../src/maintenance/erasure.ts'
import { createErasureStore } from '../../src/maintenance/store-erasure.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { isAdopted } from './db.ts'
import { testHasher } from './hasher.ts'

const ADD_NETWORK = sql(
  'test.identities_network',
  'insert into networks (id, created_at, updated_at) values ($1, current_timestamp, current_timestamp)',
)
const SESSIONS = sql('test.identity_sessions', 'select id, active from sessions where identity_id = $1 order by id')
const EVENTS = sql('test.identity_events', `select cause, session_id from lethe.events where type = 'session.ended'`)
const PARTS = sql(
  'test.identity_parts',
  `select
    (select count(*) from identities) as identities,
    (select count(*) from identity_credentials) as credentials,
    (select count(*) from identity_credential_identifiers) as identifiers,
    (select count(*) from identity_verifiable_addresses) as verifiable,
    (select count(*) from identity_recovery_addresses) as recovery`,
)

const email = {
  type: 'string',
  format: 'email',
  'ory.sh/kratos': {
    credentials: { password: { identifier: true } },
    verification: { via: 'email' },
    recovery: { via: 'email' },
  },
}
const username = { type: 'string', 'ory.sh/kratos': { credentials: { password: { identifier: true } } } }
export const PERSON = {
  type: 'object',
  properties: { traits: { type: 'object', properties: { email, username, name: { type: 'string' } } } },
}

/** A clock that stands until it is set. */
export function stoppedClock(text = '2026-11-22T12:00:00Z'): Clock & { set(text: string): void } {
  let micros = parseTime(text)
  return {
    now: () => micros,
    set(next) {
      micros = parseTime(next)
    },
  }
}

/** The real service over a network of its own, with the real end of sessions. */
export async function identityRows(db: Db) {
  const nid = randomUUID()
  await db.query(ADD_NETWORK, [nid])
  const clock = stoppedClock()
  const sessions = createSessionStore(db, nid, await isAdopted(db))
  const url = `base64://${Buffer.from(JSON.stringify(PERSON)).toString('base64')}`
  const schemas = await createSchemas(
    {
      identity: { default_schema_id: 'person', schemas: [{ id: 'person', url }] },
      clients: { http: { disallow_private_ip_ranges: false, private_ip_exception_urls: [] } },
    },
    '/',
  )
  const answers = createIdentityAnswers(() => 'https://id.example.test/')
  const hasher = testHasher()
  const store = createIdentityStore(db, nid)
  const identities = createIdentities({
    codes: () => ({ passwordless_enabled: false, mfa_enabled: false }),
    limits: () => ({ traits: 65_536, metadata: 65_536 }),
    ...{ db, clock, random: randomBytes, answers, hasher, store },
    addresses: createAddressStore(db, nid),
    writer: createIdentityWriter(nid, randomUUID),
    locks: createIdentityLocks(db, nid, createLimiter(db)),
    schemas: () => schemas,
    erasure: createErasure({ clock, store: createErasureStore(db, nid) }),
    notices: { changed: async () => {} },
    sessions: {
      endSessionsOf: (tx, id, cause, except) =>
        sessions.revokeAllOf({ identityId: id, cause, now: '2026-11-22T12:00:00Z', except }, tx),
      // What these do is tested with the sessions.
      identityDisabled: async () => {},
      factorsReset: async () => [],
      identityEnabled: async () => {},
      passwordSetByOperator: async () => {},
    },
  })
  return {
    ...{ nid, db, clock, identities, store, hasher, answers, schemas },
    body: (body: Record<string, unknown>): IdentityBody => readCreateBody(body),
    create: (body: Record<string, unknown>) => identities.create(readCreateBody(body)),
    async addSession(identityId: string): Promise<string> {
      const id = randomUUID()
      const now = '2026-11-22T12:00:00Z'
      await sessions.insert({
        ...{ id, token: randomUUID(), logoutToken: `lo_${id.replaceAll('-', '')}`, identityId, now },
        ...{ expiresAt: '2026-11-23T12:00:00Z', aal: 'aal1', methods: [] },
        device: { id: randomUUID(), ip_address: '', user_agent: '', location: '' },
      })
      return id
    },
    sessionsOf: (identityId: string) => db.query<Row>(SESSIONS, [identityId]),
    ends: () => db.query<Row>(EVENTS),
    /** how many rows there are of each kind */
    counts: async () => (await db.query<Row>(PARTS))[0],
  }
}

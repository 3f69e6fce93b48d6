import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { availableAal, type SecondFactor } from '../../src/credentials/available-aal.ts'
import type { JsonObject } from '../../src/identities/types.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { backends } from '../helpers/db.ts'
import { sessionRows } from '../helpers/sessions.ts'

const ADD_CREDENTIAL = sql(
  'test.add_credential',
  `insert into identity_credentials (id, config, identity_credential_type_id, identity_id, created_at, updated_at, nid)
   select gen_random_uuid(), $1::jsonb, id, $2, current_timestamp, current_timestamp, $3
   from identity_credential_types where name = $4`,
)
const SET_AAL = sql('test.set_available_aal', 'update identities set available_aal = $1 where id = $2')

/** Credentials, and what they are as second factors whatever the flag of the identity says. */
const CASES: [type: string, config: unknown, second: SecondFactor][] = [
  ['password', { hashed_password: '$2a$12$x' }, null],
  ['oidc', { providers: [{ provider: 'x', subject: 'y' }] }, null],
  ['totp', { totp_url: 'otpauth://totp/x' }, 'set'],
  ['totp', { totp_url: '' }, null],
  ['lookup_secret', { recovery_codes: [{ code: 'a' }] }, 'set'],
  ['lookup_secret', { recovery_codes: [] }, null],
  ['lookup_secret', { recovery_codes: null }, null],
  ['webauthn', { credentials: [{ id: 'a', is_passwordless: false }] }, 'set'],
  ['webauthn', { credentials: [{ id: 'a' }] }, 'set'],
  ['webauthn', { credentials: [{ id: 'a', is_passwordless: true }] }, null],
  ['passkey', { credentials: [{ id: 'a', is_passwordless: true }] }, null],
  ['webauthn', { credentials: [] }, null],
  ['code', { addresses: [{ address: 'a@b.example', channel: 'email' }] }, 'optional'],
  ['code', { address_type: 'email', used_at: null }, 'optional'],
  ['code', { addresses: [] }, null],
]

async function secondFactorOf(db: Db, aal: string | null, type: string, config: unknown): Promise<SecondFactor> {
  const rows = await sessionRows(db)
  await db.query(ADD_CREDENTIAL, [JSON.stringify(config), rows.identityId, rows.nid, type])
  await db.query(SET_AAL, [aal, rows.identityId])
  return (await rows.store.byId(await rows.add()))!.second_factor
}

const OWN_PASSWORD = { type: 'password', identifiers: ['a'], config: { hashed_password: '$2a$12$x' } }

describe('the statement and the flag that is written follow one rule', () => {
  for (const [type, config, second] of CASES) {
    test(`${type} ${JSON.stringify(config)}`, () => {
      const added = { type, identifiers: [], config: config as JsonObject }
      const aal = (mfa: boolean) =>
        availableAal([OWN_PASSWORD, added], { passwordless_enabled: false, mfa_enabled: mfa })
      assert.equal(aal(false), second === 'set' ? 'aal2' : 'aal1')
      assert.equal(aal(true), second === null ? 'aal1' : 'aal2', 'where codes are a second factor')
    })
  }
})

for (const backend of backends()) {
  describe(`second factor from the credentials on ${backend.name}`, () => {
    for (const [type, config, second] of CASES) {
      test(`${type} ${JSON.stringify(config)}: ${second}`, async (t) => {
        const db = await backend.open(t)
        assert.equal(await secondFactorOf(db, 'aal1', type, config), second)
        assert.equal(await secondFactorOf(db, null, type, config), second)
        // It may have been written while codes counted.
        const flagged = second ?? 'set'
        assert.equal(await secondFactorOf(db, 'aal2', type, config), flagged, 'a flag that says aal2 is believed')
      })
    }
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdentityAnswers } from '../../src/identities/answers.ts'
import { sessionAnswer, sessionText } from '../../src/sessions/answer.ts'
import { toSession } from '../../src/sessions/row.ts'
import type { SessionRow } from '../../src/sessions/types.ts'
import fc from '../helpers/fast-check.ts'

const answers = createIdentityAnswers(() => 'https://id.example.com/')
const time = fc.constantFrom('2026-11-22T14:43:19.123456Z', '2026-11-22T14:43:19Z', '2001-01-01T00:00:00.1Z')
const uuid = fc.uuid()
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
/** Postgres writes spaces after commas and colons. */
const jsonText = (value: unknown) => JSON.stringify(value, null, 1)
const json = fc.jsonValue().map(jsonText)
const list = (value: fc.Arbitrary<unknown>) =>
  maybe(fc.array(value, { minLength: 1, maxLength: 3 }).map((l) => JSON.stringify(l)))
const method = fc.record(
  {
    aal: fc.constantFrom('aal1', 'aal2'),
    method: fc.constantFrom('password', 'totp', 'oidc'),
    completed_at: time,
    provider: fc.string(),
  },
  { requiredKeys: ['method'] },
)
const address = fc.record({ id: uuid, value: fc.string({ unit: 'binary' }), verified: fc.boolean(), created_at: time })

const row: fc.Arbitrary<SessionRow> = fc.record({
  ...{ id: uuid, token: fc.constant('s2_x'), identity_id: uuid, active: fc.boolean(), tombstoned: fc.boolean() },
  ...{ issued_at: time, expires_at: time, authenticated_at: time, aal: fc.constant('aal1') },
  authentication_methods: fc.array(method, { maxLength: 3 }).map(jsonText),
  ...{
    logout_token: fc.constant(''),
    second_factor: fc.constantFrom('set' as const, 'optional' as const, null),
    devices: list(address),
  },
  ...{ schema_id: fc.string({ minLength: 1 }), state: fc.constantFrom('active' as const, 'inactive' as const) },
  ...{ state_changed_at: maybe(time), traits: fc.dictionary(fc.string(), fc.jsonValue()).map(jsonText) },
  ...{ metadata_public: maybe(json), metadata_admin: maybe(json), external_id: maybe(fc.string({ unit: 'binary' })) },
  ...{ organization_id: maybe(uuid), available_aal: maybe(fc.constant('aal1')), created_at: time, updated_at: time },
  ...{ verifiable_addresses: list(address), recovery_addresses: list(address) },
})

test('the text of an answer is that of the answer written by JSON.stringify', () => {
  const now = Date.parse('2026-01-01T00:00:00Z') * 1000
  fc.assert(
    fc.property(row, (stored) => {
      const text = sessionText(stored, now, answers.toPublicText(stored))
      assert.equal(text, JSON.stringify(sessionAnswer(toSession(stored), now, answers.toPublic)))
    }),
    { numRuns: 500 },
  )
})

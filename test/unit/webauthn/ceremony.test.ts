import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { verifyCreation, verifyUse } from '../../../src/webauthn/ceremony.ts'
import { type Key, keyRingConfig, keyRingOf } from '../../../src/webauthn/keys.ts'
import { passkeyUse, securityKeyCreation, securityKeyUse } from '../../../src/webauthn/options.ts'
import { comparableOrigin } from '../../../src/webauthn/origins.ts'
import { readCreation, readUse } from '../../../src/webauthn/read.ts'
import * as authenticator from '../../fixtures/wire-actors/webauthn.mjs'

const rp = {
  id: 'login.example.com',
  name: 'Example',
  origins: ['https://login.example.com', 'https://App.example.com/path'],
}
const origin = 'https://login.example.com'
const NOW = Date.parse('2026-11-27T03:57:48.9Z') * 1000
const as = { now: NOW, displayName: 'My key', passwordless: false }
const user = { id: randomBytes(16), name: 'someone', displayName: 'someone' }

type Faults = Record<string, unknown>

async function made(state: object, faults: Faults = {}) {
  const challenge = randomBytes(32)
  const options = securityKeyCreation({ rp, user, challenge, exclude: [] })
  const { response } = await authenticator.create({ options, origin, ...faults }, { state })
  const answer = readCreation(response)
  assert.ok(answer, response)
  return verifyCreation(answer, { rp, challenge: challenge.toString('base64url') }, as)
}

async function used(state: object, key: Key, faults: Faults = {}) {
  const challenge = randomBytes(32)
  const options = securityKeyUse({ rpId: rp.id, challenge, allow: [key.id] })
  const { response } = await authenticator.get({ options, origin, ...faults }, { state })
  const answer = readUse(response)
  assert.ok(answer, response)
  return verifyUse(answer, key, { rp, challenge: challenge.toString('base64url') })
}

async function keyOf(state: object, faults: Faults = {}): Promise<Key> {
  const verdict = await made(state, faults)
  assert.ok(verdict.ok, JSON.stringify(verdict))
  return verdict.value
}

const OTHER = randomBytes(32).toString('base64url')

describe('a new key', () => {
  for (const alg of ['ES256', 'ES384', 'EdDSA', 'RS256']) {
    it(`of ${alg} is stored in the words of Kratos and signs`, async () => {
      const state = {}
      const key = await keyOf(state, { alg, counter: 4, uv: true, be: true, bs: true })
      const { public_key: _, id, ...stored } = key.stored
      assert.equal(id, key.id.toString('base64'))
      assert.deepEqual(stored, {
        attestation_type: 'none',
        authenticator: { aaguid: 'AAAAAAAAAAAAAAAAAAAAAA==', sign_count: 4, clone_warning: false },
        display_name: 'My key',
        added_at: '2026-11-27T03:57:48Z',
        is_passwordless: false,
        flags: { user_present: true, user_verified: true, backup_eligible: true, backup_state: true },
      })
      const config = keyRingConfig({ keys: [key], userHandle: user.id })
      const ring = keyRingOf({ config, version: 1 }, crypto.randomUUID())
      assert.deepEqual(ring, { keys: [key], userHandle: user.id })
      const verdict = await used(state, ring.keys[0]!, { be: true, bs: true })
      assert.ok(verdict.ok, JSON.stringify(verdict))
      assert.deepEqual([verdict.value.signCount, verdict.value.countedBack], [5, false])
    })
  }

  it('may vouch for itself, and is refused when that is not signed by it', async () => {
    assert.equal((await keyOf({}, { format: 'packed' })).stored.attestation_type, 'packed')
    assert.equal((await made({}, { format: 'packed-broken' })).ok, false)
  })

  const faults: [string, Faults][] = [
    ['another site', { origin: 'https://evil.example' }],
    ['a site whose name begins alike', { origin: 'https://login.example.com.evil.example' }],
    ['another challenge', { challenge: OTHER }],
    ['another relying party', { rpId: 'evil.example' }],
    ['the other ceremony', { type: 'webauthn.get' }],
    ['no touch', { up: false }],
    ['an unknown form of attestation', { format: 'made-up' }],
    ['an id without end', { id: randomBytes(1024).toString('base64url') }],
    ['a backup of what cannot be backed up', { bs: true, be: false }],
    ['a frame of another site', { crossOrigin: true, topOrigin: 'https://evil.example' }],
  ]
  for (const [what, fault] of faults) {
    it(`is refused for ${what}`, async () => assert.equal((await made({}, fault)).ok, false))
  }
})

describe('the answer of a key', () => {
  const faults: [string, Faults][] = [
    ['another site', { origin: 'https://evil.example' }],
    ['another scheme', { origin: 'http://login.example.com' }],
    ['another port', { origin: 'https://login.example.com:8443' }],
    ['another challenge', { challenge: OTHER }],
    ['another relying party', { rpId: 'evil.example' }],
    ['the other ceremony', { type: 'webauthn.create' }],
    ['no touch', { up: false }],
    ['a broken signature', { breakSignature: true }],
    ['the signature of another key', { signWith: 'other' }],
    ['a key that could not be backed up before', { be: true }],
    ['a frame of another site', { crossOrigin: true, topOrigin: 'https://evil.example' }],
  ]
  for (const [what, fault] of faults) {
    it(`is refused for ${what}`, async () => {
      const state = {}
      await keyOf(state, { key: 'other' })
      const key = await keyOf(state, { key: 'own' })
      assert.equal((await used(state, key, { key: 'own', ...fault })).ok, false)
      assert.equal((await used(state, key, { key: 'own' })).ok, true)
    })
  }

  it('comes from any of the origins, however they are written', async () => {
    const state = {}
    const key = await keyOf(state)
    for (const from of ['https://LOGIN.example.com', 'https://app.example.com', 'https://app.example.com/x?y']) {
      assert.equal((await used(state, key, { origin: from })).ok, true, from)
    }
  })

  it('says when the counter did not rise, which proves nothing', async () => {
    const state = {}
    const key = await keyOf(state, { counter: 7 })
    for (const [counter, countedBack] of [
      [8, false],
      [7, true],
      [3, true],
      [0, true],
    ] as const) {
      const verdict = await used(state, key, { counter })
      assert.ok(verdict.ok)
      assert.equal(verdict.value.countedBack, countedBack, String(counter))
    }
    const never = await used({ ...state }, await keyOf({}, { counter: 0 }), { counter: 0 })
    assert.equal(never.ok, false, 'that is the answer of another key')
  })

  it('of a key without a counter is no sign of a copy', async () => {
    const state = {}
    const verdict = await used(state, await keyOf(state, { counter: 0 }), { counter: 0 })
    assert.ok(verdict.ok)
    assert.equal(verdict.value.countedBack, false)
  })

  it('is taken with flags of any kind where none were stored', async () => {
    const state = {}
    const key = { ...(await keyOf(state)), flags: undefined }
    assert.equal((await used(state, key, { be: true })).ok, true)
  })
})

describe('what is no answer', () => {
  const junk = [
    '',
    '"yes"',
    'null',
    '[]',
    '{}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{}}',
    'x'.repeat(70_000),
  ]
  const client = Buffer.from('{}').toString('base64url')
  const empty = {
    id: 'YQ',
    rawId: 'YQ',
    type: 'public-key',
    response: { clientDataJSON: client, attestationObject: 'YQ', authenticatorData: 'YQ', signature: 'YQ' },
  }
  it('is told apart from a wrong one', () => {
    for (const text of [...junk, JSON.stringify(empty)]) {
      assert.equal(readUse(text), undefined, text.slice(0, 80))
      assert.equal(readCreation(text), undefined, text.slice(0, 80))
    }
  })

  it('never ends in more than a refusal, however deep it is', async () => {
    const clientDataJSON = Buffer.from(JSON.stringify({ type: 'webauthn.create', challenge: 'YQ', origin })).toString(
      'base64url',
    )
    const deep = Buffer.alloc(40_000, 0x81).toString('base64url')
    const answer = readCreation(JSON.stringify({ ...empty, response: { clientDataJSON, attestationObject: deep } }))
    assert.ok(answer)
    assert.equal((await verifyCreation(answer, { rp, challenge: 'YQ' }, as)).ok, false)
  })
})

describe('stored keys', () => {
  it('of old rows belong to the id of their identity', () => {
    const id = '11111111-2222-3333-4444-555555555555'
    const config = { credentials: [{ id: 'YQ==', public_key: 'Yg==' }] }
    const { keys, userHandle } = keyRingOf({ config, version: 0 }, id)
    assert.equal(userHandle.toString('hex'), id.replaceAll('-', ''))
    assert.equal(keys[0]!.passwordless, false)
  })

  it('are read from whatever an operator has written', () => {
    for (const credentials of [
      null,
      7,
      'x',
      {},
      [null, 7, {}, { id: 5 }, { id: 'YQ==' }, { id: '', public_key: 'YQ==' }],
    ]) {
      assert.deepEqual(keyRingOf({ config: { credentials }, version: 1 } as never, 'x').keys, [])
    }
  })
})

describe('options', () => {
  it('name keys only where some are meant', () => {
    const challenge = randomBytes(32)
    assert.equal('allowCredentials' in passkeyUse({ rpId: rp.id, challenge, allow: [] }).publicKey, false)
    const { allowCredentials } = passkeyUse({ rpId: rp.id, challenge, allow: [Buffer.from('a')] }).publicKey
    assert.deepEqual(allowCredentials, [{ type: 'public-key', id: 'YQ' }])
  })
})

describe('origins', () => {
  it('are compared by scheme, host and port', () => {
    for (const [text, same] of [
      ['HTTPS://User@Example.COM:8443/a/b?c#d', 'https://example.com:8443'],
      ['https://example.com?x', 'https://example.com'],
      ['android:apk-key-hash:AbC', 'android:apk-key-hash:AbC'],
      ['', ''],
    ] as const)
      assert.equal(comparableOrigin(text), same)
  })
})

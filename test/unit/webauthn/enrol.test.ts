import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FormRefused } from '../../../src/flows/refused.ts'
import type { Json, JsonObject } from '../../../src/identities/types.ts'
import { locksOut, withKey, withoutKey } from '../../../src/webauthn/enrol.ts'
import { type Key, keyRingConfig, keyRingOf, MAX_KEYS, upgradedKeys } from '../../../src/webauthn/keys.ts'
import { removedKeysOf } from '../../../src/webauthn/removed.ts'

const OWNER = '4ba671d3-dcb4-4271-ad77-2fb0ce29632e'
const USER_HANDLE = Buffer.from('handle')

function key(number: number): Key {
  const id = Buffer.from(`key ${number}`)
  const publicKey = Buffer.from('a key in COSE')
  const stored = { id: id.toString('base64'), public_key: publicKey.toString('base64') }
  return {
    ...{ id, publicKey, signCount: 0, flags: undefined, passwordless: true, displayName: '', addedAt: '' },
    stored,
  }
}

function ownerOf(count: number) {
  const keys = Array.from({ length: count }, (_, number) => key(number))
  const config = keyRingConfig({ keys, userHandle: USER_HANDLE })
  const dates = { created_at: '2026-11-22T14:43:19Z', updated_at: '2026-11-22T14:43:19Z' }
  return { id: OWNER, credentials: [{ id: OWNER, type: 'passkey', config, version: 1, identifiers: [], ...dates }] }
}

test('every key that is taken is kept, and one more is refused', () => {
  const added = { key: key(MAX_KEYS), userHandle: USER_HANDLE, identifiers: [] }
  const [last] = withKey(ownerOf(MAX_KEYS - 1), 'passkey', added)
  const { keys } = keyRingOf({ config: last!.config, version: 1 }, OWNER)
  assert.equal(keys.length, MAX_KEYS)
  assert.ok(keys.at(-1)!.id.equals(added.key.id))
  assert.throws(() => withKey(ownerOf(MAX_KEYS), 'passkey', added), FormRefused)
})

test('keys that another writer stored beyond those that are read outlive a change', async () => {
  const [rest] = withoutKey(ownerOf(MAX_KEYS + 2), 'passkey', key(0).id.toString('hex'))!
  assert.equal((rest!.config.credentials as unknown[]).length, MAX_KEYS + 1)
  // A device deletes what it is told is gone.
  const [unread, gone] = [MAX_KEYS, MAX_KEYS + 1].map((number) => key(number).id.toString('base64url'))
  const keyParties = { of: async () => new Map([unread!, gone!].map((id) => [id, 'example.test'])) }
  const removed = await removedKeysOf({ keyParties }, ownerOf(MAX_KEYS + 1), ['passkey'])
  assert.deepEqual(removed, [{ rpId: 'example.test', credentialId: gone }])
})

const ODD = [null, 7, 'text', [], {}, { id: 'a2V5', key: 'of a newer format' }]

test('what another program wrote between the keys outlives a change, but is no way to sign in', () => {
  const codes = { passwordless_enabled: false, mfa_enabled: false }
  const { id, credentials } = ownerOf(2)
  const [known] = credentials
  const list = known!.config.credentials as JsonObject[]
  const config = { ...known!.config, credentials: [...ODD, ...list], made_by: 'another program' }
  const owner = { id, credentials: [{ ...known!, config }] }
  const added = withKey(owner, 'passkey', { key: key(2), userHandle: USER_HANDLE, identifiers: [] })
  const left = withoutKey(owner, 'passkey', key(0).id.toString('hex'))!
  for (const [changed] of [added, left]) {
    assert.equal(changed!.config.made_by, 'another program')
    assert.deepEqual((changed!.config.credentials as Json[]).slice(-ODD.length), ODD)
  }
  // With the last key the entries go that cannot be read: as a factor that counts they would lock the owner out.
  const last = { id, credentials: [{ ...known!, ...left[0] }] }
  assert.deepEqual(withoutKey(last, 'passkey', key(1).id.toString('hex')), [])
  assert.equal(locksOut(last.credentials, [], codes), true)
  assert.equal(locksOut([{ ...known!, config: { credentials: ODD } }], [], codes), false)
  assert.deepEqual(upgradedKeys({ config: { credentials: ['text'] }, version: 0, identityId: id }).credentials, [
    'text',
  ])
})

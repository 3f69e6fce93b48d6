import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FullIdentity, JsonObject } from '../../../src/identities/types.ts'
import { codeAddresses } from '../../../src/methods/code/addresses.ts'
import { addressesFor } from '../../../src/methods/code/owner.ts'

function identity(config: JsonObject, version: number, identifiers: string[] = ['ida@example.com']): FullIdentity {
  const credential = { id: '', type: 'code', created_at: '', updated_at: '', config, version, identifiers }
  const verifiable = { id: '', value: 'other@example.com', via: 'email', verified: false, status: 'pending' }
  return {
    credentials: [credential],
    verifiable_addresses: [{ ...verifiable, created_at: '', updated_at: '' }],
  } as unknown as FullIdentity
}

test('addresses of a code credential, in rows of either version', () => {
  const now = { addresses: [{ channel: 'sms', address: '+4930123456' }] }
  assert.deepEqual(codeAddresses(identity(now, 1), false), [{ via: 'sms', value: '+4930123456' }])
  const old = { address_type: 'email', used_at: null }
  assert.deepEqual(codeAddresses(identity(old, 0), false), [{ via: 'email', value: 'ida@example.com' }])
  assert.deepEqual(codeAddresses(identity({ address_type: '' }, 0), false), [
    { via: 'email', value: 'ida@example.com' },
  ])
  assert.deepEqual(codeAddresses(identity({ address_type: 'sms' }, 0, ['+4930123456']), false), [
    { via: 'sms', value: '+4930123456' },
  ])
})

test('without addresses of its own, others count only where the fallback is allowed', () => {
  assert.deepEqual(codeAddresses(identity({}, 1), false), [])
  assert.deepEqual(codeAddresses(identity({}, 1), true), [{ via: 'email', value: 'other@example.com' }])
})

test('entries that are no addresses are left out', () => {
  const odd = { addresses: [null, 'x', { channel: 'fax', address: '1' }, { channel: 'email' }] }
  assert.deepEqual(codeAddresses(identity(odd, 1), false), [])
})

test('a code goes to the address that was typed, in any spelling', () => {
  const two = {
    addresses: [
      { channel: 'email', address: 'ida@example.com' },
      { channel: 'sms', address: '+4930123456' },
    ],
  }
  const ida = identity(two, 1, ['ida@example.com', '+4930123456'])
  assert.deepEqual(addressesFor(ida, ' IDA@example.com ', false), [{ via: 'email', value: 'ida@example.com' }])
  assert.deepEqual(addressesFor(ida, '+49 30 123456', false), [{ via: 'sms', value: '+4930123456' }])
  assert.deepEqual(addressesFor(ida, 'ida', false), [])
  assert.deepEqual(addressesFor(ida, 'ida', true), [], 'a name is no address')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNativeHashing } from '../../../src/kernel/crypto/passwords/hashing-threads.ts'

const program = (text: string) =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${text}`)}`)

test('a thread that ends fails its own job, and the next one gets another thread', async () => {
  const native = createNativeHashing(
    program(`parentPort.on('message', ({ name }) => {
      if (name === 'bcryptVerify') process.exit(3)
      if (name === 'argon2Raw') setImmediate(() => { throw new Error('broken') })
      else parentPort.postMessage({ value: name })
    })`),
  )
  const password = Buffer.from('a')
  assert.equal(await native.bcryptHash(password, 4, password), 'bcryptHash')
  await assert.rejects(native.bcryptVerify(password, ''), /ended with 3/)
  assert.equal(await native.bcryptHash(password, 4, password), 'bcryptHash')
  await assert.rejects(native.argon2Raw(password, {}), /ended with 1/)
  assert.equal(await native.bcryptHash(password, 4, password), 'bcryptHash')
})

test('what a library refuses is an error of that job alone', async () => {
  const native = createNativeHashing(
    program(
      `parentPort.on('message', ({ args: [, cost] }) => parentPort.postMessage(cost > 4 ? { error: 'no' } : { value: 'yes' }))`,
    ),
  )
  const password = Buffer.from('a')
  const hash = (cost: number) => native.bcryptHash(password, cost, password)
  const outcomes = await Promise.allSettled([hash(4), hash(5), hash(4)])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

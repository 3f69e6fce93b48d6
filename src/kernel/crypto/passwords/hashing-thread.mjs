// @ts-check
/**
 * What a hashing thread runs. Plain JavaScript, since a thread is started without the loader that reads TypeScript.
 * One job at a time; see hashing-threads.ts.
 */
import { platform, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'

/** A tenth of the weight of others. An idle processor is still used fully. */
const NICE = 10

// On Linux the priority is that of the calling thread; elsewhere the whole process would get it.
if (platform() === 'linux') setPriority(NICE)

const bcrypt = () => import('@node-rs/bcrypt')
const argon2 = () => import('@node-rs/argon2')

/** @type {import('./hashing-threads.ts').NativeHashing} */
const work = {
  bcryptHash: async (password, cost, salt) => (await bcrypt()).hashSync(password, cost, salt),
  bcryptVerify: async (password, hash) => (await bcrypt()).verifySync(password, hash),
  argon2Hash: async (password, options) => (await argon2()).hashSync(password, options),
  argon2Raw: async (password, options) => (await argon2()).hashRawSync(password, options),
}

parentPort?.on('message', async (/** @type {{ name: keyof typeof work, args: never[] }} */ { name, args }) => {
  try {
    // @ts-expect-error each name comes with its own arguments
    parentPort?.postMessage({ value: await work[name](...args) })
  } catch (error) {
    parentPort?.postMessage({ error: /** @type {Error} */ (error).message })
  }
})

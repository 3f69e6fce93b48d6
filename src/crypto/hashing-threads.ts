import { Worker } from 'node:worker_threads'
import type { Options } from '@node-rs/argon2'

/** The work of the native libraries. Salts and passwords are bytes. */
export interface NativeHashing {
  bcryptHash(password: Uint8Array, cost: number, salt: Uint8Array): Promise<string>
  bcryptVerify(password: Uint8Array, hash: string): Promise<boolean>
  argon2Hash(password: Uint8Array, options: Options): Promise<string>
  argon2Raw(password: Uint8Array, options: Options): Promise<Uint8Array>
}

interface Answer {
  value?: unknown
  error?: string
}

/** Threads that have nothing to do. There are as many as there have ever been jobs at once, which the queue bounds. */
const idle: Worker[] = []

/**
 * Each call in a thread of its own, with less weight than what answers requests: the libraries' own threads have the
 * same, and two logins at once then hold up every session check of two processors. Measured beside logins that keep both
 * busy: see docs/performance.md.
 */
export const nativeHashing: NativeHashing = {
  bcryptHash: (...args) => inThread('bcryptHash', args),
  bcryptVerify: (...args) => inThread('bcryptVerify', args),
  argon2Hash: (...args) => inThread('argon2Hash', args),
  argon2Raw: (...args) => inThread('argon2Raw', args),
}

function inThread<T>(name: keyof NativeHashing, args: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const thread = idle.pop() ?? start()
    // A thread does not keep the process running unless somebody waits for it.
    thread.ref()
    const done = () => {
      thread.off('message', answered).off('error', failed)
      thread.unref()
    }
    const answered = ({ value, error }: Answer) => {
      done()
      idle.push(thread)
      if (error === undefined) resolve(value as T)
      else reject(new Error(error))
    }
    const failed = (error: Error) => {
      done()
      reject(error)
    }
    thread.once('message', answered).once('error', failed)
    thread.postMessage({ name, args })
  })
}

function start(): Worker {
  return new Worker(new URL('hashing-thread.mjs', import.meta.url), {
    name: 'hashing',
    execArgv: [],
    env: {},
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 },
  })
}

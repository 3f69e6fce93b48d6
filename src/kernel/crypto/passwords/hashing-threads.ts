import { Worker } from 'node:worker_threads'
import type { Options } from '@node-rs/argon2'

/** The functions of the native libraries. Salts and passwords are bytes. */
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

/**
 * Runs each call in a thread of its own, with a lower priority than requests: the libraries' own threads have the
 * same one, and two logins at once then hold up every session check of two processors (docs/adr/0012-hashing-threads.md).
 * @param program the module of a thread
 */
export function createNativeHashing(program: URL): NativeHashing {
  /** Idle threads. There are as many as there have ever been jobs at once, which the queue bounds. */
  const idle: Worker[] = []

  function inThread<T>(name: keyof NativeHashing, args: unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const thread = idle.pop() ?? start()
      // A thread keeps the process running only while a caller waits for it.
      thread.ref()
      const answered = ({ value, error }: Answer) => {
        thread.off('exit', ended)
        thread.unref()
        idle.push(thread)
        if (error === undefined) resolve(value as T)
        else reject(new Error(error))
      }
      const ended = (code: number) => {
        thread.off('message', answered)
        reject(new Error(`a hashing thread ended with ${code}`))
      }
      thread.once('message', answered).once('exit', ended)
      thread.postMessage({ name, args })
    })
  }

  function start(): Worker {
    const thread = new Worker(program, {
      name: 'hashing',
      execArgv: [],
      env: {},
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 },
    })
    // A dead thread must not end the process: its caller gets the error from `exit`.
    thread.on('error', () => {})
    thread.once('exit', () => {
      const at = idle.indexOf(thread)
      if (at >= 0) idle.splice(at, 1)
    })
    return thread
  }

  return {
    bcryptHash: (...args) => inThread('bcryptHash', args),
    bcryptVerify: (...args) => inThread('bcryptVerify', args),
    argon2Hash: (...args) => inThread('argon2Hash', args),
    argon2Raw: (...args) => inThread('argon2Raw', args),
  }
}

export const nativeHashing = createNativeHashing(new URL('hashing-thread.mjs', import.meta.url))

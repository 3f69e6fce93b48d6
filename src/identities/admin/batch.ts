import { badRequest, errorAnswer, HttpError } from '../../kernel/http/errors.ts'
import { valueTaken } from '../failures.ts'
import type { FullIdentity } from '../types.ts'
import type { IdentityBody } from './bodies.ts'

/** The result of one item. */
export type BatchItem = { kind: 'created'; id: string } | { kind: 'failed'; error: ReturnType<typeof errorAnswer> }

const MAX_ITEMS = 1000
const MAX_PASSWORDS = 200
/** Few enough to leave connections and hashing slots to other requests. */
const CONCURRENCY = 4

/**
 * Creates each identity by itself: a refused one does not affect the others. The limits are checked first; Kratos
 * hashes all passwords before it refuses.
 */
export function createBatch(create: (body: IdentityBody) => Promise<FullIdentity>) {
  return async (bodies: readonly IdentityBody[]): Promise<BatchItem[]> => {
    if (bodies.length > MAX_ITEMS) {
      throw badRequest(
        `The maximum number of identities per request that can be created or deleted at once is ${MAX_ITEMS}.`,
      )
    }
    if (bodies.filter(({ password }) => password && 'password' in password).length > MAX_PASSWORDS) {
      throw badRequest(
        `The maximum number of identities per request that can be created with a plaintext password is ${MAX_PASSWORDS}.`,
      )
    }
    const results: BatchItem[] = new Array(bodies.length)
    const waiting = [...bodies.entries()]
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await createOne(create, next[1])
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, worker))
    return results
  }
}

async function createOne(
  create: (body: IdentityBody) => Promise<FullIdentity>,
  body: IdentityBody,
): Promise<BatchItem> {
  try {
    return { kind: 'created', id: (await create(body)).id }
  } catch (error) {
    if (!(error instanceof HttpError) || error.status >= 500) throw error
    return { kind: 'failed', error: errorAnswer(error.status === 409 ? valueTaken(error) : error) }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { exchange } from './client.ts'
import { type AddressRules, Refused } from './guard.ts'

export interface FetchRules extends AddressRules {
  /** @default 3; 1 where a request waits for the answer */
  tries?: number
}

const TRIES = 3
/** Pause before the second and the third try; together about the three seconds that Kratos takes. */
const PAUSE_MS = [500, 1500]
const TIMEOUT_MS = 5000

/**
 * Gets a text over HTTP: a few tries, no redirects, at most `maxBytes`.
 *
 * @throws Error without the address, so that a password in it is not shown
 */
export async function fetchText(url: string, maxBytes: number, rules: FetchRules): Promise<string> {
  const tries = rules.tries ?? TRIES
  let failure = new Error('cannot be fetched')
  for (let attempt = 1; attempt <= tries; attempt++) {
    try {
      return await fetchOnce(url, maxBytes, rules)
    } catch (cause) {
      failure = new Error(`cannot be fetched: ${(cause as Error).message}`, { cause })
      if (cause instanceof Refused) break
    }
    const pause = PAUSE_MS[attempt - 1]
    if (pause !== undefined && attempt < tries) await sleep(pause)
  }
  throw failure
}

async function fetchOnce(url: string, maxBytes: number, rules: FetchRules): Promise<string> {
  const headers = { accept: 'application/json' }
  const { status, body, cut } = await exchange({ method: 'GET', url, headers, timeoutMs: TIMEOUT_MS, maxBytes }, rules)
  if (status !== 200) {
    const answer = `answered with status ${status}`
    throw status < 500 ? new Refused(answer) : new Error(answer)
  }
  if (cut !== undefined) throw cut.startsWith('is larger') ? new Refused(cut) : new Error(cut)
  return body.toString('utf8')
}

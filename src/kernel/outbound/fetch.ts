import { get as httpGet, type IncomingMessage, type RequestOptions } from 'node:http'
import { get as httpsGet } from 'node:https'
import { type AddressRules, guarded, Refused } from './guard.ts'

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
    if (pause !== undefined && attempt < tries) await new Promise((done) => setTimeout(done, pause))
  }
  throw failure
}

async function fetchOnce(url: string, maxBytes: number, rules: FetchRules): Promise<string> {
  const options: RequestOptions = {
    timeout: TIMEOUT_MS,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json' },
    ...guarded(url, rules),
  }
  return new Promise((done, failed) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet
    const request = get(url, options, (response) => {
      readText(response, maxBytes).then(done, (error) => {
        request.destroy()
        failed(error)
      })
    })
    request.on('error', failed)
  })
}

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  if (response.statusCode !== 200) {
    const answer = `answered with status ${response.statusCode}`
    throw (response.statusCode ?? 500) < 500 ? new Refused(answer) : new Error(answer)
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new Refused(`is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

import type { Config } from '../../config/schema/schema.ts'
import { normaliseIdentifier } from '../../identities/normalise.ts'
import type { Clock, Micros } from '../../kernel/base/clock.ts'
import { sha256Hex } from '../../kernel/crypto/tokens.ts'
import type { Client } from '../../kernel/http/client.ts'
import { tooManyAttempts } from '../../kernel/http/errors.ts'

export interface LoginAttemptsDeps {
  config(): Config
  clock: Clock
  /** where several processes serve one port */
  attemptsElsewhere?: AttemptsElsewhere | undefined
  /** identifiers, and addresses, remembered at most @default 20000 */
  maxKeys?: number
}

/** A failure as it is counted: what is told to others holds no identifier. */
export interface FailedAttempt {
  identifier: string
  /** empty when unknown, or when many people may be behind it: none of them must pay for another */
  network: string
}

/** The other processes of this node, so that it counts as one. */
export interface AttemptsElsewhere {
  tell(attempt: FailedAttempt): void
  listen(listener: (attempt: FailedAttempt) => void): void
}

/** Failed sign-ins of the last minutes, on this node. */
export interface LoginAttempts {
  /** @throws 429 while the identifier or the address has used up its failures */
  check(who: Attempt): void
  /** Counts one more failure. */
  failed(who: Attempt): void
}

export interface Attempt {
  identifier: string
  client: Pick<Client, 'network' | 'shared'>
}

/** About 4 MB each for identifiers and addresses with the default limits. */
const MAX_KEYS = 20_000

/**
 * Limits how fast passwords can be guessed: by identifier for many addresses against one account, by address for one
 * against many accounts. Identifiers that nobody has count alike, so that the limit tells nothing about who exists.
 */
export function createLoginAttempts(d: LoginAttemptsDeps): LoginAttempts {
  const limits = () => d.config().lethe.limits.login
  const windowOf = () => Math.trunc(limits().window * 1000)
  const maxKeys = d.maxKeys ?? MAX_KEYS
  const identifiers = createFailures(maxKeys)
  const addresses = createFailures(maxKeys)

  function count({ identifier, network }: FailedAttempt): void {
    const now = d.clock.now()
    const { per_identifier, per_address } = limits()
    if (per_identifier > 0) identifiers.add(identifier, now, windowOf())
    if (per_address > 0) addresses.add(network, now, windowOf())
  }
  d.attemptsElsewhere?.listen(count)

  return {
    check({ identifier, client }) {
      const now = d.clock.now()
      const { per_identifier, per_address } = limits()
      const wait = Math.max(
        identifiers.wait(identifierKey(identifier), now, windowOf(), per_identifier),
        addresses.wait(client.network, now, windowOf(), per_address),
      )
      if (wait > 0) throw tooManyAttempts(Math.ceil(wait / 1_000_000))
    },
    failed({ identifier, client }) {
      const attempt = { identifier: identifierKey(identifier), network: client.shared ? '' : client.network }
      count(attempt)
      d.attemptsElsewhere?.tell(attempt)
    },
  }
}

/** Times of failures by key, in a window that slides. The key that failed longest ago goes first. */
function createFailures(maxKeys: number) {
  const times = new Map<string, Micros[]>()
  return {
    /** how long until one more failure is allowed; 0: now */
    wait(key: string, now: Micros, window: Micros, limit: number): Micros {
      if (limit === 0) return 0
      const recent = (times.get(key) ?? []).filter((time) => time > now - window)
      return recent.length < limit ? 0 : recent[recent.length - limit]! + window - now
    },
    add(key: string, now: Micros, window: Micros): void {
      if (key === '') return
      const recent = (times.get(key) ?? []).filter((time) => time > now - window)
      times.delete(key)
      times.set(key, [...recent, now])
      for (const [oldest, list] of times) {
        if (times.size <= maxKeys && list.at(-1)! > now - window) break
        times.delete(oldest)
      }
    },
  }
}

/** As accounts are looked up, so that another spelling is no other key; hashed, so that its length does not matter. */
function identifierKey(identifier: string): string {
  return sha256Hex(normaliseIdentifier(identifier))
}

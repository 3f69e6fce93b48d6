import type { Config } from '../../config/schema/schema.ts'
import { normaliseIdentifier } from '../../identities/normalise.ts'
import { networkOf, parseAddress } from '../../kernel/base/address.ts'
import { type Clock, type Micros, SECOND } from '../../kernel/base/clock.ts'
import { keyedName } from '../../kernel/crypto/keyed-name.ts'
import type { Client } from '../../kernel/http/client.ts'
import { tooManyAttempts } from '../../kernel/http/errors.ts'
import type { AttemptStore, Count } from './store-attempts.ts'

export interface LoginAttemptsDeps {
  config(): Config
  clock: Clock
  store: AttemptStore
  /** shared by all nodes */
  serverSecret: Uint8Array
}

export interface Attempt {
  identifier: string
  client: Pick<Client, 'network' | 'shared'>
  /** of a browser that has signed in to this account before */
  knownBrowser: string | undefined
  /** the identity of the identifier; called only when a limit is reached */
  identityId(): Promise<string | undefined>
}

/** The keys that one attempt counts for. */
export type Counts = readonly Count[]

/** Failed logins of the last minutes, on all nodes. */
export interface LoginAttempts {
  /** @throws 429 while one of its keys has reached its limit */
  begin(who: Attempt): Promise<Counts>
  /** The same after the password was checked. @throws 429 */
  check(counts: Counts): Promise<void>
  /** Counts a failure. @throws 429 for one beyond the limit, of several at once */
  failed(who: Attempt, counts: Counts): Promise<void>
}

/** All known browsers of an account together: an attacker who once had its password may have made any number of them. */
const BROWSERS_AT_ONCE = 5

/**
 * Limits how fast passwords can be guessed: by identifier for many addresses against one account, by address for one
 * against many accounts. Unknown identifiers count alike, so that the limit does not reveal accounts.
 * A browser, or else an address, that has signed in to the account before has a count of its own: guesses of others do
 * not lock the owner out.
 */
export function createLoginAttempts(d: LoginAttemptsDeps): LoginAttempts {
  const limits = () => d.config().lethe.limits.login
  const windowOf = (): Micros => Math.trunc(limits().window * 1000)
  const since = () => d.clock.now() - windowOf()

  /** Keyed, so that the table does not reveal who was attacked from where. */
  const key = (...parts: string[]) => keyedName(d.serverSecret, 'login-failures', ...parts)
  const ofIdentifier = (identifier: string, ...more: string[]): Count => ({
    // Normalised as accounts are looked up, so that another spelling has the same key.
    key: key('identifier', normaliseIdentifier(identifier), ...more),
    allowed: limits().per_identifier,
  })
  const limited = (counts: Count[]): Counts => counts.filter(({ allowed }) => allowed > 0)

  function ofBrowser({ identifier }: Attempt, browser: string): Counts {
    const all = ofIdentifier(identifier, 'browsers')
    return limited([ofIdentifier(identifier, 'browser', browser), { ...all, allowed: BROWSERS_AT_ONCE * all.allowed }])
  }
  function ofStranger({ identifier, client }: Attempt): Counts {
    const address = { key: key('network', client.network), allowed: client.network === '' ? 0 : limits().per_address }
    return limited([ofIdentifier(identifier), address])
  }
  const ofKnownNetwork = ({ identifier, client }: Attempt): Counts =>
    limited([ofIdentifier(identifier, 'network', client.network)])

  async function hasSignedInFrom({ client, identityId }: Attempt): Promise<boolean> {
    if (client.network === '' || client.shared) return false
    const id = await identityId()
    const addresses = id === undefined ? [] : await d.store.knownAddresses(id)
    return addresses.some((text) => {
      const address = parseAddress(text)
      return address !== undefined && networkOf(address) === client.network
    })
  }

  async function isReached(counts: Counts): Promise<Micros | undefined> {
    return counts.length === 0 ? undefined : d.store.reached(counts, since())
  }
  function refuseUntilOver(at: Micros | undefined): void {
    if (at !== undefined) throw tooManyAttempts(Math.max(1, Math.ceil((at - since()) / SECOND)))
  }

  return {
    async begin(who) {
      const counts = who.knownBrowser === undefined ? ofStranger(who) : ofBrowser(who, who.knownBrowser)
      const at = await isReached(counts)
      if (at === undefined) return counts
      if (who.knownBrowser !== undefined || !(await hasSignedInFrom(who))) refuseUntilOver(at)
      const own = ofKnownNetwork(who)
      refuseUntilOver(await isReached(own))
      return own
    },

    async check(counts) {
      refuseUntilOver(await isReached(counts))
    },

    async failed({ client }, counts) {
      const network = key('network', client.network)
      // Many people share this address: one must not be limited for another.
      const counted = client.shared ? counts.filter((count) => count.key !== network) : counts
      if (counted.length === 0) return
      const now = d.clock.now()
      const keep = Math.max(...counted.map(({ allowed }) => allowed)) + 1
      const rows = await d.store.add(counted, { now, since: now - windowOf(), until: now + windowOf(), keep })
      for (const { key, times } of rows) {
        const { allowed } = counted.find((count) => count.key === key)!
        if (times.length > allowed) refuseUntilOver(times.at(-allowed))
      }
    },
  }
}

import type { Config } from '../config/schema/schema.ts'
import { typesWhere } from '../credentials/descriptors.ts'
import { PASSWORD, passwordHashOf } from '../credentials/password.ts'
import { equal } from '../identities/schema/node.ts'
import type { AccountNotices } from '../identities/service.ts'
import type { FullIdentity, Identity, Json, JsonObject } from '../identities/types.ts'
import { type Clock, formatTime } from '../kernel/base/clock.ts'
import type { Courier } from './service.ts'
import { type Channel, MOST_AT_ONCE } from './types.ts'

export interface AccountNoticesDeps {
  config(): Config
  clock: Clock
  /** with a limit of its own: other messages must not use up those about changes */
  courier: Pick<Courier, 'enqueueWithin'>
  /** the identity as templates see it */
  identityAnswer(identity: Identity): Record<string, unknown>
}

type Change = Config['lethe']['identity']['notify'][number]

/**
 * Tells the owner what has changed in the account, at every address that was verified before: a thief in an open session
 * changes address and password, and the owner would not hear of it.
 * @see https://pages.nist.gov/sp800-63-4/sp800-63b.html account notifications
 */
export function createAccountNotices(d: AccountNoticesDeps): AccountNotices {
  return {
    async changed(before, after, tx) {
      const wanted = d.config().lethe.identity.notify
      if (wanted.length === 0) return
      const changes = wanted.filter((change) => HAS_CHANGED[change](before, after))
      if (changes.length === 0) return
      const identity = d.identityAnswer(before) as JsonObject
      const changed_at = `${formatTime(d.clock.now()).slice(0, 16).replace('T', ' ')} UTC`
      for (const { via, value: to } of verifiedOf(before)) {
        const data = { to, changes, changed_at, identity }
        await d.courier.enqueueWithin(
          { type: 'account_changed_valid', channel: via as Channel, recipient: to, data },
          tx,
        )
      }
    },
  }
}

/** In one order, in which all transactions lock their counters. */
const verifiedOf = ({ verifiable_addresses: addresses }: FullIdentity) =>
  addresses
    .filter(({ verified, via }) => verified && (via === 'email' || via === 'sms'))
    .toSorted((a, b) => (a.value < b.value ? -1 : 1))
    .slice(0, MOST_AT_ONCE)

const HAS_CHANGED: Record<Change, (before: FullIdentity, after: FullIdentity) => boolean> = {
  address: differ(({ verifiable_addresses, recovery_addresses }) =>
    sorted([...verifiable_addresses, ...recovery_addresses].map(({ via, value }) => `${via} ${value}`)),
  ),
  password: differ(({ credentials }) => passwordHashOf(credentials) ?? null),
  factor: differ((identity) => configsOf(identity)),
  provider: differ(({ credentials }) =>
    sorted(
      credentials.flatMap(({ type, identifiers }) =>
        PROVIDERS.has(type) ? identifiers.map((one) => `${type} ${one}`) : [],
      ),
    ),
  ),
}

const PROVIDERS = new Set(typesWhere(({ provider }) => provider))
/** Second factors, security keys and passkeys. Addresses for codes change with the traits. */
const FACTORS = typesWhere(({ type, provider, channelled }) => type !== PASSWORD && !provider && !channelled)

function differ(part: (identity: FullIdentity) => Json) {
  return (before: FullIdentity, after: FullIdentity) => !equal(part(before), part(after))
}

/** A row may only reserve its identifiers. */
const configsOf = ({ credentials }: FullIdentity): Json =>
  FACTORS.map((type) => {
    const { user_handle: _, ...config } = credentials.find((one) => one.type === type)?.config ?? {}
    return Object.values(config).some((value) => !isEmpty(value)) ? config : {}
  })

const isEmpty = (value: Json) => value === null || value === '' || (Array.isArray(value) && value.length === 0)

const sorted = (all: readonly string[]) => [...new Set(all)].sort()

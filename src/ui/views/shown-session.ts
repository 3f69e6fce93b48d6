import type { Identity } from '../../identities/types.ts'

/** A session as a list shows it. */
export interface ShownSession {
  id: string
  userAgent: string
  address: string
  place: string
  methods: string[]
  signedIn: string
  /** undefined where it is not recorded */
  lastSeen: string | undefined
}

/** From the answer of the API, which is what its owner may see. */
export function shownSession(answer: Readonly<Record<string, unknown>>): ShownSession {
  const devices = (answer.devices ?? []) as Record<string, unknown>[]
  const methods = (answer.authentication_methods ?? []) as { method?: string }[]
  // A session that is refreshed elsewhere has the device where it began first; the last one is the newest.
  const device = devices.at(-1) ?? {}
  const lastSeen = answer.last_seen_at
  return {
    id: text(answer.id),
    userAgent: text(device.user_agent),
    address: text(device.ip_address),
    place: text(device.location),
    methods: [...new Set(methods.map(({ method }) => method ?? ''))],
    signedIn: text(answer.authenticated_at),
    lastSeen: typeof lastSeen === 'string' ? lastSeen : undefined,
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The name of an account for people: its address or name, or else its id. */
export function nameOf(identity: Identity): string {
  const { email, username, phone } = identity.traits
  const addresses = [...identity.verifiable_addresses, ...identity.recovery_addresses].map(({ value }) => value)
  const named = [email, username, ...addresses, phone, ...Object.values(identity.traits)]
  return named.find((value): value is string => typeof value === 'string' && value.trim() !== '') ?? identity.id
}

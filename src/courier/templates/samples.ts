import type { Json, JsonObject } from '../../identities/types.ts'
import { MODELS } from '../gotemplate/models.ts'
import type { Channel, Message } from '../types.ts'
import { modelOf } from './data.ts'
import type { Kind } from './kinds.ts'

const TRAITS: JsonObject = { email: 'ada@example.org', name: { first: 'Ada', last: 'Lovelace' } }

const VALUES: Readonly<Record<string, Json>> = {
  to: 'ada@example.org',
  request_url: 'https://accounts.example.org/self-service/recovery/browser',
  transient_payload: {},
  recovery_code: '493815',
  verification_code: '551177',
  login_code: '700142',
  registration_code: '118822',
  recovery_url: 'https://accounts.example.org/self-service/recovery?flow=0b1f&token=example',
  verification_url: 'https://accounts.example.org/self-service/verification?flow=0b1f&code=551177',
  expires_in_minutes: 60,
  changes: ['address', 'password', 'factor', 'provider'],
  changed_at: '2026-01-02 03:04 UTC',
  traits: TRAITS,
  identity: {
    id: '7f1d3c52-0b6e-4d6a-9a39-8f5ac2d1e001',
    schema_id: 'default',
    schema_url: 'https://accounts.example.org/schemas/ZGVmYXVsdA',
    state: 'active',
    traits: TRAITS,
    verifiable_addresses: [{ value: 'ada@example.org', verified: false, via: 'email', status: 'sent' }],
    recovery_addresses: [{ value: 'ada@example.org', via: 'email' }],
    metadata_public: null,
    created_at: '2026-01-02T03:04:05Z',
    updated_at: '2026-01-02T03:04:05Z',
  },
}

/** A message as it might be sent, for a preview and to try a template out before it is needed. */
export function sampleMessage({ type }: Kind, channel: Channel): Message {
  const names = (MODELS.get(modelOf(type, channel)) ?? []).flatMap(({ json }) => json ?? [])
  const data: JsonObject = Object.fromEntries(names.map((name) => [name, VALUES[name] ?? '']))
  if (type === 'registration_code_valid') data.identity = TRAITS
  if (type === 'recovery_code_valid') data.recovery_code = VALUES.recovery_code!
  return {
    type,
    channel,
    recipient: channel === 'sms' ? '+4915550100' : 'ada@example.org',
    data,
    requestHeaders: { 'User-Agent': ['Example'] },
  }
}

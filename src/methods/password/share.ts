import { normaliseIdentifier } from '../../identities/normalise.ts'
import type { Share } from '../../kernel/crypto/passwords/passwords.ts'
import type { Client } from '../../kernel/http/client.ts'

/** On whose account a password is hashed. @param identifier that the client gives */
export function shareOf(identifier: string, client: Pick<Client, 'network' | 'shared'>): Share {
  return { identifier: normaliseIdentifier(identifier), network: client.shared ? '' : client.network }
}

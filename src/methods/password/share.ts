import { normaliseIdentifier } from '../../identities/normalise.ts'
import type { Share } from '../../kernel/crypto/passwords/passwords.ts'
import type { Client } from '../../kernel/http/client.ts'

/** The share of the hashing queue for an identifier and a client. @param identifier from the client */
export function shareOf(identifier: string, client: Pick<Client, 'network' | 'shared'>): Share {
  return { identifier: normaliseIdentifier(identifier), network: client.shared ? '' : client.network }
}

import { accountIdentifier, accountsOf, textOf } from '../../credentials/provider-accounts.ts'
import type { NewCredential } from '../../identities/creation.ts'
import type { DraftCredential } from '../../identities/draft.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity, JsonObject, StoredCredential } from '../../identities/types.ts'
import type { Cipher } from '../../kernel/crypto/cipher.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import type { Provider, Tokens } from './kind.ts'

export const OIDC = 'oidc'

/** One account at a provider, as the credential row holds it. */
export interface Linked {
  provider: string
  subject: string
  entry: JsonObject
}

/** The identifier of the credential, compared literally. */
export const identifierOf = accountIdentifier

/** With the tokens of the first sign-in; without any if an app sent an id token of its own. */
export function newEntry(cipher: Cipher, { provider: { id, organization_id }, subject, tokens }: Account): Linked {
  const provider = id
  const sealed = (token: string) => cipher.encrypt(Buffer.from(token))
  return {
    provider,
    subject,
    entry: {
      subject,
      provider,
      initial_id_token: sealed(tokens?.idToken ?? ''),
      initial_access_token: sealed(tokens?.accessToken ?? ''),
      initial_refresh_token: sealed(tokens?.refreshToken ?? ''),
      ...(organization_id ? { organization: organization_id } : {}),
    },
  }
}

interface Account {
  provider: Pick<Provider, 'id' | 'organization_id'>
  subject: string
  tokens: Tokens | undefined
}

export function linkedOf(credentials: readonly Pick<StoredCredential, 'type' | 'config'>[]): Linked[] {
  const known = credentials.find(({ type }) => type === OIDC)
  return accountsOf(known?.config ?? {}).map((entry) => ({
    provider: textOf(entry.provider),
    subject: textOf(entry.subject),
    entry,
  }))
}

/** An entry that another program wrote without a name is not found by one: two of them would be taken for one account. */
export const credentialOf = (linked: readonly Linked[]): NewCredential => ({
  type: OIDC,
  version: 0,
  config: { providers: linked.map(({ entry }) => entry) },
  identifiers: [
    ...new Set(
      linked.flatMap(({ provider, subject }) =>
        provider === '' || subject === '' ? [] : identifierOf(provider, subject),
      ),
    ),
  ],
})

/** All credentials with these accounts instead of the earlier ones; without any, the row is deleted. */
export function withLinked(all: readonly DraftCredential[], linked: readonly Linked[]): DraftCredential[] {
  const others = all.filter(({ type }) => type !== OIDC)
  if (linked.length === 0) return others
  const known = all.find(({ type }) => type === OIDC)
  const { config, ...made } = credentialOf(linked)
  return [...others, { ...made, config: { ...known?.config, ...config } }]
}

/** An account that its owner unlinks while the sign-in waits proves nothing. @throws NotLocked */
export async function holdLink(
  identities: Pick<IdentityService, 'holdConfig'>,
  { id, credentials }: FullIdentity,
  tx: Queryable,
): Promise<void> {
  const from = credentials.find(({ type }) => type === OIDC)?.config
  if (!from || !(await identities.holdConfig(id, { type: OIDC, from }, tx)))
    throw new NotLocked('the linked accounts have changed')
}

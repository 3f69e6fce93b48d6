import type { DraftCredential } from '../identities/draft.ts'
import type { Json, JsonObject } from '../identities/types.ts'
import type { StoredConfig } from './descriptor.ts'

/** An account at a provider, as an operator imports it: without tokens. */
export interface ImportedAccount {
  provider: string
  subject: string
  organization?: string
  use_auto_link?: boolean
}

/** Their type of credential. */
export const OIDC = 'oidc'

/** How an account is found: compared as it is. */
export const accountIdentifier = (provider: string, subject: string): string => `${provider}:${subject}`

const TOKENS = ['initial_id_token', 'initial_access_token', 'initial_refresh_token'] as const
const SHOWN = ['subject', 'provider', 'organization', 'use_auto_link']

export const accountsOf = (config: JsonObject): JsonObject[] =>
  Array.isArray(config.providers) ? config.providers.map((entry: Json) => Object(entry) as JsonObject) : []

/** The accounts as operators see them. @param reveal decrypts a stored token */
export function shownAccounts({ config }: Pick<StoredConfig, 'config'>, reveal: (text: string) => string): JsonObject {
  const shown = accountsOf(config).map((entry) => ({
    ...Object.fromEntries(TOKENS.map((name) => [name, textOf(entry[name]) && reveal(textOf(entry[name]))])),
    ...Object.fromEntries(Object.entries(entry).filter(([name]) => SHOWN.includes(name))),
  }))
  return { providers: shown }
}

/** A row that a database was given by hand may hold anything. */
export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** All credentials, with these accounts added. */
export function withAccounts(all: readonly DraftCredential[], accounts: readonly ImportedAccount[]): DraftCredential[] {
  const type = OIDC
  if (accounts.length === 0) return [...all]
  const known = all.find((credential) => credential.type === type) ?? { type, version: 0, config: {}, identifiers: [] }
  const entries = accounts.map((account) => ({ ...account, ...Object.fromEntries(TOKENS.map((name) => [name, ''])) }))
  const added = {
    ...known,
    config: { ...known.config, providers: [...accountsOf(known.config), ...entries] },
    identifiers: [...known.identifiers, ...accounts.map((one) => accountIdentifier(one.provider, one.subject))],
  }
  return [...all.filter((credential) => credential.type !== type), added]
}

/** The credential without one of its accounts; undefined where none is left. */
export function withoutAccount(credential: DraftCredential, identifier: string): DraftCredential | undefined {
  const providers = accountsOf(credential.config).filter(
    ({ provider, subject }) => accountIdentifier(textOf(provider), textOf(subject)) !== identifier,
  )
  if (providers.length === 0) return undefined
  return {
    ...credential,
    config: { ...credential.config, providers },
    identifiers: credential.identifiers.filter((one) => one !== identifier),
  }
}

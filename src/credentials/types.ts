/** The types that rows of `identity_credential_types` stand for. */
const STORED_TYPES = ['password', 'oidc', 'saml', 'totp', 'lookup_secret', 'webauthn', 'code', 'passkey']

/** Kratos knows these two as well, although nothing is ever stored under them. */
const OTHER_TYPES = ['link_recovery', 'code_recovery']

export const isStoredType = (name: string) => STORED_TYPES.includes(name)
export const isCredentialType = (name: string) => STORED_TYPES.includes(name) || OTHER_TYPES.includes(name)

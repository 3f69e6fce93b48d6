import type { RelyingParty } from './origins.ts'

/** COSE: ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, EdDSA, the first one preferred. */
export const ALGORITHMS = [-7, -35, -36, -257, -258, -259, -37, -38, -39, -8]

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

export interface NewKeyRequest {
  rp: Pick<RelyingParty, 'id' | 'name'>
  user: { id: Uint8Array; name: string; displayName: string }
  challenge: Uint8Array
  /** ids of the person's present keys, so that an authenticator does not hold two */
  exclude: readonly Uint8Array[]
}

const descriptors = (ids: readonly Uint8Array[]) => ids.map((id) => ({ type: 'public-key', id: base64url(id) }))

function creation({ rp, user, challenge, exclude }: NewKeyRequest) {
  return {
    rp: { name: rp.name, id: rp.id },
    user: { name: user.name, displayName: user.displayName, id: base64url(user.id) },
    challenge: base64url(challenge),
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    ...(exclude.length === 0 ? {} : { excludeCredentials: descriptors(exclude) }),
  }
}

/** For a key that need not know its owner. */
export const securityKeyCreation = (requested: NewKeyRequest) => ({
  publicKey: { ...creation(requested), timeout: 120_000, authenticatorSelection: { userVerification: 'discouraged' } },
})

/** For a discoverable key, which knows its owner. */
export const passkeyCreation = (requested: NewKeyRequest) => ({
  publicKey: {
    ...creation(requested),
    timeout: 300_000,
    authenticatorSelection: {
      authenticatorAttachment: 'platform',
      requireResidentKey: true,
      residentKey: 'required',
      userVerification: 'preferred',
    },
  },
})

export interface UseRequest {
  rpId: string
  challenge: Uint8Array
  /** ids of the keys that may answer; empty: any of the person's */
  allow: readonly Uint8Array[]
}

const request = ({ rpId, challenge, allow }: UseRequest, timeout: number, userVerification: string) => ({
  publicKey: {
    challenge: base64url(challenge),
    timeout,
    rpId,
    ...(allow.length === 0 ? {} : { allowCredentials: descriptors(allow) }),
    userVerification,
  },
})

export const securityKeyUse = (requested: UseRequest) => request(requested, 120_000, 'discouraged')
export const passkeyUse = (requested: UseRequest) => request(requested, 300_000, 'preferred')

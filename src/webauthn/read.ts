import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { JsonObject } from '../identities/types.ts'

interface Answer {
  /** id of the key */
  id: Buffer
  /** of the page, from the browser */
  origin: string
  /** of the page around it, if it is in a frame of another site */
  topOrigin: string | undefined
  /** base64url, from the browser */
  challenge: string
}

export type CreationAnswer = Answer & { json: RegistrationResponseJSON }
export type UseAnswer = Answer & { json: AuthenticationResponseJSON; userHandle: Buffer | undefined }

/** An answer with certificates has some 10 kB. */
const MAX_ANSWER = 65_536

/** Parses the answer to a request for a new key; undefined if it is none. */
export function readCreation(text: string): CreationAnswer | undefined {
  const answer = readAnswer(text, ['attestationObject', 'clientDataJSON'])
  if (!answer) return undefined
  const { response, ...facts } = answer
  const { attestationObject, clientDataJSON } = response
  return {
    ...facts,
    json: {
      ...jsonHead(facts.id),
      response: { attestationObject: attestationObject!, clientDataJSON: clientDataJSON! },
    },
  }
}

/** Parses the answer to a request to use a key; undefined if it is none. */
export function readUse(text: string): UseAnswer | undefined {
  const answer = readAnswer(text, ['authenticatorData', 'clientDataJSON', 'signature'])
  if (!answer) return undefined
  const { response, ...facts } = answer
  const { authenticatorData, clientDataJSON, signature, userHandle } = response
  return {
    ...facts,
    userHandle: userHandle === undefined || userHandle === '' ? undefined : Buffer.from(userHandle, 'base64url'),
    json: {
      ...jsonHead(facts.id),
      response: { authenticatorData: authenticatorData!, clientDataJSON: clientDataJSON!, signature: signature! },
    },
  }
}

const jsonHead = (id: Buffer) => ({
  id: id.toString('base64url'),
  rawId: id.toString('base64url'),
  type: 'public-key' as const,
  clientExtensionResults: {},
})

function readAnswer(text: string, members: readonly string[]) {
  const answer = text.length <= MAX_ANSWER ? object(text) : undefined
  if (answer?.type !== 'public-key' || typeof answer.id !== 'string') return undefined
  const id = Buffer.from(String(answer.rawId ?? answer.id), 'base64url')
  if (id.length === 0 || !id.equals(Buffer.from(answer.id, 'base64url'))) return undefined
  const response: Record<string, string> = {}
  for (const [name, value] of Object.entries(Object(answer.response) as JsonObject)) {
    // Some clients pad base64url, which the library refuses.
    if (typeof value === 'string') response[name] = value.replace(/={1,2}$/, '')
  }
  if (members.some((name) => (response[name] ?? '') === '')) return undefined
  const client = object(Buffer.from(response.clientDataJSON!, 'base64url').toString())
  if (typeof client?.origin !== 'string' || typeof client.challenge !== 'string') return undefined
  const { origin, challenge, topOrigin } = client
  return { id, response, origin, challenge, topOrigin: typeof topOrigin === 'string' ? topOrigin : undefined }
}

function object(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

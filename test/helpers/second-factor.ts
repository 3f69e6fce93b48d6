import { hotp } from '../fixtures/wire-actors/totp.mjs'
import { Client, type Person, signInNative } from './client.ts'
import type { TestServer } from './server.ts'

type Server = Pick<TestServer, 'publicUrl' | 'adminUrl'>

/** The switches of the second factors that need no browser. */
export const SECOND_FACTORS = {
  selfservice: { methods: { totp: { enabled: true }, lookup_secret: { enabled: true } } },
}

export const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const TOTP_URL = `otpauth://totp/Test:someone?algorithm=SHA1&digits=6&issuer=Test&period=30&secret=${SECRET}`

/** The code of an app at a time, in seconds. */
export const codeAt = (seconds: number, secret = SECRET): string => hotp(secret, Math.floor(seconds / 30))

/** Gives a person a credential as an operator can: by a patch. */
export async function giveCredential(server: Server, person: Person, type: string, config: object): Promise<void> {
  const value = { type, identifiers: [person.identityId], config, version: 0 }
  const patch = [{ op: 'add', path: `/credentials/${type}`, value }]
  const url = `${server.adminUrl}/admin/identities/${person.identityId}`
  const reply = await new Client(server).send('PATCH', url, { json: patch })
  if (reply.status !== 200) throw new Error(`no credential: ${reply.status} ${reply.text}`)
}

export const linkApp = (server: Server, person: Person) =>
  giveCredential(server, person, 'totp', { totp_url: TOTP_URL })

export const CODES = ['aaaaaaa1', 'bbbbbbb2', 'ccccccc3', 'ddddddd4']

export const giveCodes = (server: Server, person: Person, codes = CODES) =>
  giveCredential(server, person, 'lookup_secret', { recovery_codes: codes.map((code) => ({ code, used_at: null })) })

/** An app that is signed in by password alone, and can begin and submit forms for a second factor. */
export async function halfSignedIn(server: Server, person: Person) {
  const { token, sessionId } = await signInNative(server, person)
  const headers = { 'x-session-token': token }
  const client = new Client(server)
  return {
    ...{ token, sessionId, headers, client },
    begin: () => client.get('/self-service/login/api?aal=aal2', headers),
    async submit(json: object, flowId?: string) {
      const flow = flowId ?? (await client.get('/self-service/login/api?aal=aal2', headers)).body.id
      return client.send('POST', `/self-service/login?flow=${flow}`, { headers, json })
    },
    whoami: async () => (await client.get('/sessions/whoami', headers)).status,
  }
}

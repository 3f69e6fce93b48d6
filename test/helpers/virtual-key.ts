import type { BrowserContext, Page } from 'playwright-core'

interface StoredKey {
  credentialId: string
  isResidentCredential: boolean
  rpId?: string
  privateKey: string
  userHandle?: string
  signCount: number
  userName?: string
  userDisplayName?: string
}

/**
 * Puts an authenticator into the browser: a security key, or, with `passkeys`, one that is built into the device. Somebody
 * is always there to touch it. It works on this page alone.
 * @see https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/
 */
export async function virtualKey(
  page: Page,
  { passkeys = false, verifiesUser = passkeys }: { passkeys?: boolean; verifiesUser?: boolean } = {},
) {
  const session = await (page.context() as BrowserContext).newCDPSession(page)
  await session.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: passkeys ? 'internal' : 'usb', automaticPresenceSimulation: true },
      ...{ hasResidentKey: passkeys, hasUserVerification: verifiesUser, isUserVerified: verifiesUser },
    },
  })
  return {
    keys: async (): Promise<StoredKey[]> =>
      (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    /** Another device gets a copy. */
    add: (credential: StoredKey) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
    putAway: () => session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    clear: () => session.send('WebAuthn.clearCredentials', { authenticatorId }),
  }
}

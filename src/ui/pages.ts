import type { FastifyReply } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import type { RemovedKey } from '../webauthn/removed.ts'
import { formTargets, pageHeaders } from './headers.ts'
import { layout, type Page, type View } from './layout.ts'
import { createTexts } from './texts.ts'

/** What an owner is told of their own credentials. */
export type OwnCredentials = (identityId: string) => Promise<{
  /** types of those that are enough to sign in */
  signIn: readonly string[]
  /** unused backup codes; undefined without any set up */
  backupCodes: number | undefined
  /** keys that they do not have any more */
  removedKeys(): Promise<readonly RemovedKey[]>
}>

export interface PageDeps {
  config(): Config
  baseUrls: { public(): string }
}

/** Pages below /ui/ */
export function uiView(d: PageDeps): View {
  return { t: createTexts(d.config().lethe.ui.texts), root: '..' }
}

/** Pages at the root of the server, without links: a proxy in front may not forward anything below /ui/. */
export function rootView(d: PageDeps): View {
  return { ...uiView(d), root: '.' }
}

export function sendPage(d: PageDeps, reply: FastifyReply, view: View, page: Page, status = 200): FastifyReply {
  const alone = view.root === '.'
  // A provider, and an OAuth2 server, send people on to places of their own.
  const leaves = page.leavesServer || d.config().oauth2_provider.url !== undefined
  const targets = leaves ? undefined : formTargets(d.config(), d.baseUrls.public())
  return reply
    .code(status)
    .headers(pageHeaders(targets, alone, page.script))
    .send(layout(page, view, alone))
}

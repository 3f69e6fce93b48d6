import type { Config } from '../../config/schema/schema.ts'
import { mentions, pressed } from '../../flows/button.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { imageNode, inputNode, submitNode, textNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import { endSessionsOnFactorChange, type FactorChangeDeps } from '../../flows/settings/factor-change.ts'
import type { Change, SettingsMethod, SettingsRequest, SettingsView } from '../../flows/settings/method.ts'
import type { UiNode } from '../../flows/types.ts'
import { withCredential, without } from '../../identities/credential-changes.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { SessionService } from '../../sessions/service.ts'
import { appOf, asTyped, TOTP } from './app.ts'
import { judgeCode } from './code.ts'
import { totpMessages } from './messages.ts'
import { qrImage } from './qr.ts'
import { newSecret, secretOf, totpUrl } from './secret.ts'
import type { TotpStore } from './store.ts'

export interface TotpSettingsDeps extends FactorChangeDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the name of this server in apps by default */
  publicHost(): string
  identities: Pick<IdentityService, 'changeCredentials'>
  sessions: Pick<SessionService, 'raise' | 'revokeAllOf'>
  totp: Pick<TotpStore, 'linked'>
}

const UNLINK = 'totp_unlink'

/** Linking an authenticator app, one at a time, and unlinking it. */
export function totpSettings(d: TotpSettingsDeps): SettingsMethod {
  const settings = () => d.config().selfservice.methods.totp
  return {
    id: TOTP,
    async form(view) {
      if (!settings().enabled) return NO_PART
      if (appOf((await view.account()).credentials)) return { nodes: [unlinkButton] }
      const url = newAppUrl(d, view)
      return { nodes: linkNodes(url), context: { totp_url: url } }
    },
    takes: (form) => fieldText(form, 'method') === TOTP || mentions(form, UNLINK),
    kept: () => new Map([['totp_code', undefined]]),
    async change(request) {
      const { form, account, requirePrivilege } = request
      if (!settings().enabled) throw methodDisabled()
      requirePrivilege()
      const linked = appOf((await account()).credentials) !== undefined
      if (pressed(form, UNLINK) && linked) return unlink(d, request)
      if (linked) throw refused(alreadyLinked)
      return link(d, request)
    },
    waiting: (form) => ({ totp_code: fieldText(form, 'totp_code'), totp_unlink: mentions(form, UNLINK) }),
  }
}

const alreadyLinked = messages.generic('An authenticator app is linked already. Unlink it before you link another one.')
const unlinkButton = inputNode(TOTP, UNLINK, 'submit', { value: 'true', required: true, label: totpMessages.unlink })

function newAppUrl(d: TotpSettingsDeps, { schema, identity }: SettingsView): string {
  const derived = schema.derive(identity.traits)
  const named = derived.kind === 'derived' ? derived.names.get(TOTP) : undefined
  const issuer = d.config().selfservice.methods.totp.config.issuer ?? d.publicHost()
  return totpUrl({ issuer, account: named || identity.id, secret: newSecret(d.random) })
}

const linkNodes = (url: string): UiNode[] => [
  imageNode(TOTP, 'totp_qr', { src: qrImage(url), size: 256 }, totpMessages.picture),
  textNode(TOTP, 'totp_secret_key', totpMessages.secret(secretOf(url)!), totpMessages.secretLabel),
  inputNode(TOTP, 'totp_code', 'text', { required: true, label: totpMessages.verify }),
  submitNode(TOTP, TOTP, messages.save),
]

/** The secret of the form: the owner proves with a code that the app has it. */
function link(d: TotpSettingsDeps, { flow, form, session, identity: { id } }: SettingsRequest): Change {
  const code = fieldText(form, 'totp_code')
  if (code === '') throw refused(messages.missing('totp_code'), 'totp_code')
  const url = flow.context.totp_url
  const secret = secretOf(url)
  const judged = secret === undefined ? undefined : judgeCode(secret, asTyped(flow, code), d.clock.now())
  if (judged?.kind !== 'right') {
    const context = judged?.kind === 'wrongClock' ? { context: { clock_offset: judged.seconds } } : {}
    throw refused({ ...messages.wrongCode, ...context }, 'totp_code')
  }
  return {
    kind: 'change',
    needsPrivilege: () => true,
    async write(tx) {
      const linked = { type: TOTP, config: { totp_url: url! }, version: 0, identifiers: [id] }
      const changed = await d.identities.changeCredentials(
        id,
        ({ credentials }) => {
          // Another form may have linked one meanwhile.
          if (appOf(credentials)) throw refused(alreadyLinked)
          return withCredential(credentials, linked)
        },
        tx,
      )
      await d.totp.linked(id, judged.step, tx)
      await d.sessions.raise(session, { authentication: { method: TOTP, aal: 'aal2' } }, tx)
      await endSessionsOnFactorChange(d, session, tx)
      return changed
    },
  }
}

/** The level of a session stays: the proof was given. */
const unlink = (d: TotpSettingsDeps, { session, identity: { id } }: SettingsRequest): Change => ({
  kind: 'change',
  needsPrivilege: () => true,
  async write(tx) {
    const changed = await d.identities.changeCredentials(id, ({ credentials }) => without(credentials, TOTP), tx)
    await endSessionsOnFactorChange(d, session, tx)
    return changed
  },
})

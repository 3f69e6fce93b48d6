import type { Config } from '../../config/schema/schema.ts'
import { mentions, pressed } from '../../flows/button.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import type { NextForm } from '../../flows/engine/step.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { messages } from '../../flows/messages.ts'
import { cleared, inputNode, textNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import { endSessionsOnFactorChange, type FactorChangeDeps } from '../../flows/settings/factor-change.ts'
import type { Change, SettingsMethod, SettingsRequest } from '../../flows/settings/method.ts'
import type { SubmittedForm, UiMessage, UiNode } from '../../flows/types.ts'
import { withCredential, without } from '../../identities/credential-changes.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { SessionService } from '../../sessions/service.ts'
import { asJson, codesOf, LOOKUP_SECRET, newCodes, type RecoveryCode, storedCodes } from './codes.ts'
import { lookupMessages } from './messages.ts'

export interface LookupSettingsDeps extends FactorChangeDeps {
  config(): Config
  random: Random
  identities: Pick<IdentityService, 'changeCredentials'>
  sessions: Pick<SessionService, 'raise' | 'revokeAllOf'>
}

/** The buttons; if several are pressed, the first one counts. */
const BUTTONS = ['confirm', 'reveal', 'disable', 'regenerate'] as const
type Button = (typeof BUTTONS)[number]
const nameOf = (button: Button) => `lookup_secret_${button}`
const GENERATED = 'lookup_secret_regenerated'

/** Backup codes: generated in one step, in force once their owner confirms to have kept them. */
export function lookupSettings(d: LookupSettingsDeps): SettingsMethod {
  const enabled = () => d.config().selfservice.methods.lookup_secret.enabled
  return {
    id: LOOKUP_SECRET,
    async form({ account }) {
      if (!enabled()) return NO_PART
      const { codes } = codesOf((await account()).credentials)
      return { nodes: codes.length === 0 ? [button('regenerate')] : [revealButton(codes), button('disable')] }
    },
    takes: (form) => BUTTONS.some((name) => mentions(form, nameOf(name))),
    async change(request) {
      if (!enabled()) throw methodDisabled()
      request.requirePrivilege()
      switch (pressedButton(request.form)) {
        case 'confirm':
          return confirm(d, request)
        case 'reveal':
          return reveal(request)
        case 'disable':
          return disable(d, request)
        case 'regenerate':
          return generate(d, request)
      }
    },
    waiting: (form) => Object.fromEntries(BUTTONS.map((name) => [nameOf(name), mentions(form, nameOf(name))])),
  }
}

const pressedButton = (form: SubmittedForm): Button => BUTTONS.filter((name) => pressed(form, nameOf(name)))[0]!

const button = (name: Button): UiNode =>
  inputNode(LOOKUP_SECRET, nameOf(name), 'submit', { value: 'true', label: lookupMessages[name] })

/** Shows how many are left, since the last one that is used leaves no way in. */
function revealButton(codes: readonly RecoveryCode[]): UiNode {
  const remaining = codes.filter(({ used_at }) => used_at === null).length
  const label = { ...lookupMessages.reveal, context: { remaining } }
  return inputNode(LOOKUP_SECRET, nameOf('reveal'), 'submit', { value: 'true', label })
}

function generate(d: LookupSettingsDeps, request: SettingsRequest): NextForm {
  const codes = newCodes(d.random)
  return shown(request, [listed(codes, lookupMessages.label), button('confirm')], { [GENERATED]: asJson(codes) })
}

async function reveal(request: SettingsRequest): Promise<NextForm> {
  const { codes } = codesOf((await request.account()).credentials)
  if (codes.length === 0) throw refused(messages.generic('Can not reveal lookup codes because you have none.'))
  const nodes = [listed(codes, lookupMessages.label), button('disable'), button('regenerate')]
  return shown(request, nodes, { lookup_secret_revealed: true })
}

const listed = (codes: readonly RecoveryCode[], label: UiMessage): UiNode =>
  textNode(LOOKUP_SECRET, 'lookup_secret_codes', lookupMessages.list(codes), label)

/** The same form, with other nodes of this method appended. */
function shown({ flow, csrfToken }: SettingsRequest, nodes: UiNode[], context: NextForm['context']): NextForm {
  const kept = cleared(flow.ui, new Map([['csrf_token', csrfToken]])).nodes
  return {
    kind: 'form',
    nodes: [...kept.filter(({ group }) => group !== LOOKUP_SECRET), ...nodes],
    context: { ...flow.context, ...context },
  }
}

function confirm(d: LookupSettingsDeps, { flow, session, identity: { id } }: SettingsRequest): Change {
  const codes = storedCodes(flow.context[GENERATED])
  if (codes.length === 0) {
    throw refused(messages.generic('You must (re-)generate recovery backup codes before you can save them.'))
  }
  return {
    kind: 'change',
    needsPrivilege: () => true,
    async write(tx) {
      const set = { type: LOOKUP_SECRET, config: { recovery_codes: asJson(codes) }, version: 0, identifiers: [id] }
      const changed = await d.identities.changeCredentials(
        id,
        ({ credentials }) => withCredential(credentials, set),
        tx,
      )
      await d.sessions.raise(session, { authentication: { method: LOOKUP_SECRET, aal: 'aal2' } }, tx)
      await endSessionsOnFactorChange(d, session, tx)
      return changed
    },
  }
}

async function disable(
  d: LookupSettingsDeps,
  { account, session, identity: { id } }: SettingsRequest,
): Promise<Change> {
  if (codesOf((await account()).credentials).codes.length === 0) throw refused(lookupMessages.none)
  return {
    kind: 'change',
    needsPrivilege: () => true,
    async write(tx) {
      const changed = await d.identities.changeCredentials(
        id,
        ({ credentials }) => without(credentials, LOOKUP_SECRET),
        tx,
      )
      await endSessionsOnFactorChange(d, session, tx)
      return changed
    },
  }
}

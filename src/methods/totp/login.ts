import type { Config } from '../../config/schema/schema.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import type { Guesses } from '../../flows/login/guesses.ts'
import type { LoginMethod } from '../../flows/login/method.ts'
import { messages } from '../../flows/messages.ts'
import { inputNode, submitNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { appOf, asTyped, TOTP } from './app.ts'
import { judgeCode, stepAt } from './code.ts'
import { totpMessages } from './messages.ts'
import type { TotpStore } from './store.ts'

export interface TotpLoginDeps {
  config(): Config
  clock: Clock
  identities: Pick<IdentityService, 'get'>
  guesses: Guesses
  totp: Pick<TotpStore, 'accept' | 'told'>
}

/** The code of an authenticator app, as second factor. */
export function totpLogin(d: TotpLoginDeps): LoginMethod {
  const enabled = () => d.config().selfservice.methods.totp.enabled
  return {
    id: TOTP,
    async form({ purpose, account }) {
      if (!enabled() || purpose.kind !== 'secondFactor') return NO_PART
      const identity = await account()
      if (!identity || !appOf(identity.credentials)) return NO_PART
      const code = inputNode(TOTP, 'totp_code', 'text', { value: '', required: true, label: totpMessages.code })
      return { nodes: [code, submitNode(TOTP, TOTP, totpMessages.use)] }
    },
    takes: (form, flow) => fieldText(form, 'method') === TOTP && flow.requested_aal === 'aal2',
    kept: () => new Map([['totp_code', undefined]]),

    async login({ flow, form, current }) {
      if (!enabled()) throw methodDisabled()
      const given = fieldText(form, 'totp_code')
      if (given === '') throw refused(messages.missing('totp_code'), 'totp_code')
      const identity = await d.identities.get(current!.session.identity_id)
      const app = appOf(identity.credentials)
      if (!app) throw refused(totpMessages.notLinked)
      const target = { identityId: identity.id, flowId: flow.id, method: TOTP }
      await d.guesses.assertAllowed(target)
      const now = d.clock.now()
      const judged = judgeCode(app.secret, asTyped(flow, given), now)
      if (judged.kind !== 'right') {
        await d.guesses.wrong(target)
        if (judged.kind === 'wrong') throw refused(messages.wrongCode)
        // A caller who learns that a code belongs to the future could wait for its time.
        if (judged.seconds > 0) await d.totp.told(identity.id, judged.step)
        throw refused({ ...messages.wrongCode, context: { clock_offset: judged.seconds } })
      }
      await d.guesses.assertAllowed(target)
      return {
        kind: 'proved',
        identity,
        authentication: { method: TOTP, aal: 'aal2' },
        async write(tx) {
          const code = { identityId: identity.id, url: app.url, step: judged.step, now: stepAt(now) }
          if (!(await d.totp.accept(code, tx))) throw refused(messages.wrongCode)
        },
      }
    },
  }
}

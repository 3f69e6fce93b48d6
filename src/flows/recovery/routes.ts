import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { sendError } from '../../kernel/http/error-handler.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import { acceptsJson, isJsonRequest } from '../../kernel/http/negotiate.ts'
import { queryValue } from '../../kernel/http/query.ts'
import { lastEndOf } from '../../sessions/rules.ts'
import type { BeginRequest } from '../begin.ts'
import { flowReplaced, locationChangeRequired, recoveryNeedsNobody } from '../errors.ts'
import { requestFacts } from '../hooks/request-facts.ts'
import { type CallerDeps, callerOf, signInBrowser } from '../http.ts'
import { proofFlowAnswer } from '../proof/answer.ts'
import { asksFirst, headOfLink, type LinkPage, refuseSpeculative } from '../proof/links.ts'
import type { Replaced } from '../replace.ts'
import { flowRoutes } from '../routes.ts'
import type { UiMessage } from '../types.ts'
import type { FlowUrls } from '../urls.ts'
import type { Finished } from './finish.ts'
import type { RecoveryFlows } from './flow.ts'
import type { RecoveryCaller } from './submit.ts'
import type { RecoveryFlow } from './types.ts'

export interface RecoveryRouteDeps extends CallerDeps {
  recovery: RecoveryFlows
  flowUrls: FlowUrls
  linkPage: LinkPage
  /** `feature_flags.use_continue_with_transitions` */
  continuesWith(): boolean
}

/** @see https://www.ory.com/docs/kratos/self-service/flows/account-recovery-password-reset */
export function recoveryRoutes(d: RecoveryRouteDeps): FastifyPluginAsync {
  return flowRoutes('recovery', { beginBrowser, beginNative, read, submit, head: headOfLink(d, 'recovery') })

  function begin(req: FastifyRequest, caller: Pick<BeginRequest, 'type' | 'csrfToken'>) {
    return d.recovery.begin({
      ...caller,
      requestUrl: d.flowUrls.request(req.url),
      credentials: d.credentials.read(req),
      facts: () => requestFacts(req, d.config()),
    })
  }

  async function beginBrowser(req: FastifyRequest, reply: FastifyReply) {
    const begun = await begin(req, { type: 'browser', csrfToken: d.csrf.token(req) })
    if (begun.kind === 'signedIn') return signedIn(req, reply)
    return acceptsJson(req)
      ? proofFlowAnswer(begun.flow)
      : reply.redirect(d.flowUrls.page('recovery', begun.flow.id), 303)
  }

  async function beginNative(req: FastifyRequest) {
    const begun = await begin(req, { type: 'api', csrfToken: '' })
    if (begun.kind === 'signedIn') throw recoveryNeedsNobody()
    return proofFlowAnswer(begun.flow)
  }

  async function read(req: FastifyRequest) {
    const flow = await d.recovery.read(queryValue(req, 'id'), (token) => {
      if (!d.csrf.matches(req, token)) throw d.csrf.violation(req, false)
    })
    return proofFlowAnswer(flow)
  }

  async function submit(req: FastifyRequest, reply: FastifyReply) {
    refuseSpeculative(req)
    if (await asksFirst(d, req, d.recovery.read)) return d.linkPage(req, reply, 'recovery')
    const caller = recoveryCaller(req, reply)
    const outcome = await d.recovery.submit(queryValue(req, 'flow'), caller)
    if (outcome.kind === 'failed') return sendError(outcome.error, req, reply)
    if (outcome.kind === 'signedInAlready') return signedIn(req, reply, outcome.flow)
    const readsJson = !caller.byLink && (caller.scripted || outcome.flow.type === 'api')
    switch (outcome.kind) {
      case 'finished':
        return finished(req, reply, readsJson, outcome)
      case 'replaced':
        return replaced(req, reply, readsJson, outcome)
      case 'startedAgain':
        return startedAgain(req, reply, readsJson, outcome)
      case 'screen':
      case 'form':
        if (!readsJson) return reply.redirect(d.flowUrls.page('recovery', outcome.flow.id), 303)
        return reply
          .code(outcome.kind === 'form' ? 400 : 200)
          .send(proofFlowAnswer(outcome.flow, outcome.transientPayload))
    }
  }

  function recoveryCaller(req: FastifyRequest, reply: FastifyReply): RecoveryCaller {
    return {
      ...callerOf(req, d, 'POST'),
      renewCsrf() {
        d.csrf.renew(req, reply)
        return d.csrf.token(req)
      },
      token: queryValue(req, 'token'),
      byLink: false,
    }
  }

  function signedIn(req: FastifyRequest, reply: FastifyReply, flow?: RecoveryFlow) {
    if (isJsonRequest(req) || flow?.type === 'api') throw recoveryNeedsNobody()
    return reply.redirect(d.flowUrls.home(), 302)
  }

  function finished(req: FastifyRequest, reply: FastifyReply, readsJson: boolean, done: Finished) {
    const { flow, issued, settings } = done
    const url = d.flowUrls.page('settings', settings.id)
    if (issued && (flow.type === 'browser' || !readsJson)) {
      signInBrowser(req, reply, d, { token: issued.token, expiresAt: lastEndOf(issued.session), fresh: false })
    }
    if (!readsJson) return reply.redirect(url, 303)
    if (!d.continuesWith()) return sendError(locationChangeRequired(url), req, reply)
    return {
      ...proofFlowAnswer(flow),
      continue_with: [
        ...(flow.type === 'api' && issued
          ? [{ action: 'set_ory_session_token', ory_session_token: issued.token }]
          : []),
        { action: 'show_settings_ui', flow: { id: settings.id, url } },
      ],
      transient_payload: done.transientPayload,
    }
  }

  function replaced(
    req: FastifyRequest,
    reply: FastifyReply,
    readsJson: boolean,
    { flow, expired }: Replaced<RecoveryFlow>,
  ) {
    if (readsJson && d.continuesWith() && flow.type === 'api') {
      return sendError(flowReplaced(expired, flow, showRecovery(flow)), req, reply)
    }
    return toNewFlow(reply, readsJson, flow)
  }

  function startedAgain(
    req: FastifyRequest,
    reply: FastifyReply,
    readsJson: boolean,
    { flow, message }: { flow: RecoveryFlow; message: UiMessage },
  ) {
    if (!readsJson || !d.continuesWith()) return toNewFlow(reply, readsJson, flow)
    return sendError(badRequest(message.text, { details: showRecovery(flow) }), req, reply)
  }

  /** `fetch` follows the redirect, so that a script reads the new flow at once. */
  function toNewFlow(reply: FastifyReply, readsJson: boolean, { id }: RecoveryFlow) {
    return reply.redirect(readsJson ? d.flowUrls.read('recovery', id) : d.flowUrls.page('recovery', id), 303)
  }
}

const showRecovery = ({ id }: RecoveryFlow) => ({ continue_with: [{ action: 'show_recovery_ui', flow: { id } }] })

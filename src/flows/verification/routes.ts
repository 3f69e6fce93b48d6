import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { sendError } from '../../kernel/http/error-handler.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import { acceptsJson } from '../../kernel/http/negotiate.ts'
import { queryValue } from '../../kernel/http/query.ts'
import { flowReplaced, verificationReplaced } from '../errors.ts'
import { requestFacts } from '../hooks/request-facts.ts'
import { type CallerDeps, callerOf, leadingOn } from '../http.ts'
import { proofFlowAnswer } from '../proof/answer.ts'
import { asksFirst, headOfLink, type LinkPage, refuseSpeculative } from '../proof/links.ts'
import { flowRoutes } from '../routes.ts'
import type { FlowUrls } from '../urls.ts'
import { assertEnabled } from './begin.ts'
import type { VerificationFlows } from './flow.ts'
import type { VerificationCaller, VerificationOutcome } from './submit.ts'

export interface VerificationRouteDeps extends CallerDeps {
  verification: VerificationFlows
  flowUrls: FlowUrls
  linkPage: LinkPage
}

/** @see https://www.ory.com/docs/kratos/self-service/flows/verify-email-account-activation */
export function verificationRoutes(d: VerificationRouteDeps): FastifyPluginAsync {
  return flowRoutes('verification', {
    beginBrowser,
    beginNative,
    read,
    submit,
    head: headOfLink(d, 'verification'),
  })

  async function beginBrowser(req: FastifyRequest, reply: FastifyReply) {
    assertEnabled(d.config())
    const request = { type: 'browser' as const, requestUrl: d.flowUrls.request(req.url), csrfToken: d.csrf.token(req) }
    try {
      d.flowUrls.returnTo(request.requestUrl)
    } catch (error) {
      // A browser gets the error at once too, not on the error page.
      if (error instanceof HttpError) return sendError(error, req, reply)
      throw error
    }
    const flow = await d.verification.begin({ ...request, facts: () => requestFacts(req, d.config()) })
    return acceptsJson(req) ? proofFlowAnswer(flow) : reply.redirect(d.flowUrls.page('verification', flow.id), 303)
  }

  async function beginNative(req: FastifyRequest) {
    assertEnabled(d.config())
    const requestUrl = d.flowUrls.request(req.url)
    d.flowUrls.returnTo(requestUrl)
    return proofFlowAnswer(
      await d.verification.begin({
        type: 'api',
        requestUrl,
        csrfToken: '',
        facts: () => requestFacts(req, d.config()),
      }),
    )
  }

  async function read(req: FastifyRequest) {
    const flow = await d.verification.read(queryValue(req, 'id'), (token) => {
      if (!d.csrf.matches(req, token)) throw d.csrf.violation(req, false)
    })
    return proofFlowAnswer(flow)
  }

  async function submit(req: FastifyRequest, reply: FastifyReply) {
    refuseSpeculative(req)
    if (await asksFirst(d, req, d.verification.read)) return d.linkPage(req, reply, 'verification')
    const caller = verificationCaller(req, reply)
    const outcome = await d.verification.submit(queryValue(req, 'flow'), caller)
    if (outcome.kind === 'failed') return sendError(outcome.error, req, reply)
    // A refusal is JSON also for clients that send JSON; the other answers go by the Accept header alone, in native flows as well.
    const refused = caller.scripted || (outcome.flow.type === 'api' && !caller.opensLink)
    return answer(req, reply, outcome.kind === 'screen' ? acceptsJson(req) : refused, outcome)
  }

  function answer(
    req: FastifyRequest,
    reply: FastifyReply,
    readsJson: boolean,
    outcome: Exclude<VerificationOutcome, { kind: 'failed' }>,
  ) {
    const { id } = outcome.flow
    if (!readsJson) {
      const to = outcome.kind === 'screen' ? outcome.to : undefined
      return reply.redirect(to ?? d.flowUrls.page('verification', id), 303)
    }
    switch (outcome.kind) {
      case 'flowExpired':
        return reply.redirect(d.flowUrls.read('verification', id), 303)
      case 'startedAgain':
        return sendError(verificationReplaced(outcome.flow, outcome.finished), req, reply)
      case 'replaced':
        return sendError(flowReplaced(outcome.expired, outcome.flow), req, reply)
      default:
        return reply
          .code(outcome.kind === 'form' ? 400 : 200)
          .send(proofFlowAnswer(outcome.flow, outcome.transientPayload))
    }
  }

  function verificationCaller(req: FastifyRequest, reply: FastifyReply): VerificationCaller {
    return {
      ...leadingOn(callerOf(req, d), 'verification', d.flowUrls),
      opensLink: req.method === 'GET' || (d.config().lethe.links.confirm && queryValue(req, 'token') !== ''),
      token: queryValue(req, 'token'),
      code: queryValue(req, 'code'),
      renewCsrf() {
        d.csrf.renew(req, reply)
        return d.csrf.token(req)
      },
    }
  }
}

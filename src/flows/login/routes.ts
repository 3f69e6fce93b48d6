import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type CookieAttributes, setCookie } from '../../kernel/http/cookies.ts'
import { sendError } from '../../kernel/http/error-handler.ts'
import { acceptsJson } from '../../kernel/http/negotiate.ts'
import { queryValue, withQuery } from '../../kernel/http/query.ts'
import type { Oauth2 } from '../../oauth2/service.ts'
import { lastEndOf } from '../../sessions/rules.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { AnswerExtras } from '../answer.ts'
import type { ComeBack } from '../continuity/come-back.ts'
import { changedMeanwhile, flowReplaced, locationChangeRequired } from '../errors.ts'
import { type CallerDeps, callerOf, type Respond, redirectBrowserTo, sendTo, signInBrowser } from '../http.ts'
import type { RegistrationRouteDeps } from '../registration/routes.ts'
import type { RegistrationOutcome } from '../registration/submit.ts'
import { entryHandlers, flowRoutes } from '../routes.ts'
import type { Caller } from '../types.ts'
import type { FlowUrls } from '../urls.ts'
import type { VerificationFlows } from '../verification/flow.ts'
import { showVerification } from '../verification/unasked.ts'
import { loginAnswer } from './answer.ts'
import type { LoginFlows } from './flow.ts'
import { KNOWN_BROWSER_DAYS } from './known-browsers.ts'
import type { LoginOutcome, RememberedSignIn } from './submit.ts'
import type { LoginFlow } from './types.ts'

export interface LoginRouteDeps extends CallerDeps {
  login: LoginFlows
  verification: Pick<VerificationFlows, 'bind'>
  sessions: Pick<SessionService, 'answer'>
  flowUrls: FlowUrls
  knownBrowserCookie(): CookieAttributes
  oauth2: Oauth2
  comeBack: ComeBack
}

/** @param registered answers a form that registers. @see https://www.ory.com/docs/kratos/self-service/flows/user-login */
export function loginRoutes(
  d: LoginRouteDeps & Pick<RegistrationRouteDeps, 'registration'>,
  registered: Respond<RegistrationOutcome>,
): FastifyPluginAsync {
  const entry = entryHandlers<LoginFlow>(d, {
    kind: 'login',
    flows: d.login,
    answer: loginAnswer,
    tellsSignedIn: acceptsJson,
  })
  const respond = loginResponder(d)
  return flowRoutes('login', {
    ...entry,
    async submit(req, reply) {
      const caller = callerOf(req, d)
      const outcome = await d.login.submit(queryValue(req, 'flow'), caller)
      if (outcome.kind !== 'otherKind') return respond(req, reply, caller, outcome)
      const flow = await d.registration.continueFrom(outcome.flow)
      return registered(req, reply, caller, await d.registration.submit(flow.id, caller))
    },
  })
}

/** Answers a login, whichever route it ended at. */
export function loginResponder(d: LoginRouteDeps) {
  return respond

  function respond(req: FastifyRequest, reply: FastifyReply, caller: Caller, outcome: LoginOutcome) {
    switch (outcome.kind) {
      case 'signedIn':
        return signedIn(req, reply, caller, outcome)
      case 'signedInAlready':
        return reply.redirect(d.flowUrls.home(), 303)
      case 'failed':
        return sendError(outcome.error, req, reply)
      case 'otherKind':
        return sendError(changedMeanwhile(), req, reply)
      case 'replaced':
        if (readsJson(caller, outcome.flow)) return sendError(flowReplaced(outcome.expired, outcome.flow), req, reply)
        return reply.redirect(d.flowUrls.page('login', outcome.flow.id), 303)
      case 'redirect':
        d.comeBack.note(req, reply, outcome.comeBack)
        if (outcome.failed) throw outcome.failed
        return sendTo(outcome.to, readsJson(caller, outcome.flow), req, reply)
      case 'form':
        if (outcome.asLocation) {
          return sendTo(d.flowUrls.page('login', outcome.flow.id), readsJson(caller, outcome.flow), req, reply)
        }
        if (readsJson(caller, outcome.flow))
          return shown(outcome.flow, outcome).then((answer) => reply.code(400).send(answer))
        return reply.redirect(withQuery(d.flowUrls.page('login', outcome.flow.id), outcome.pageQuery ?? {}), 303)
    }
  }

  async function shown(flow: LoginFlow, extras: AnswerExtras) {
    return loginAnswer(flow, { ...extras, oauth2Request: await d.oauth2.requestIfKnown(flow) })
  }

  async function signedIn(req: FastifyRequest, reply: FastifyReply, caller: Caller, done: RememberedSignIn) {
    const { session, token, fresh, returnTo, secondFactorAt } = done
    const answer = d.sessions.answer(session)
    const goOn = showVerification(d.flowUrls, done.verifications)
    if (done.flow.type === 'api') {
      // A caller with the password alone must not see the identity while the second factor is missing.
      if (secondFactorAt !== undefined) answer.identity = null
      return { session_token: token, session: answer, continue_with: goOn.length > 0 ? goOn : null }
    }
    if (done.knownBrowser !== undefined && isRealBrowser(req))
      setCookie(reply, d.knownBrowserCookie(), done.knownBrowser, { maxAge: KNOWN_BROWSER_DAYS * 86_400 })
    signInBrowser(req, reply, d, { token, expiresAt: lastEndOf(session), fresh })
    const challenge = secondFactorAt === undefined ? d.oauth2.challengeOf(done.flow) : undefined
    if (challenge !== undefined) {
      const to = await d.oauth2.accept(challenge, { identityId: session.identity_id, session })
      return sendTo(to, caller.scripted, req, reply)
    }
    const linking = await d.login.linkLater(done, d.csrf.token(req))
    if (linking) {
      return caller.scripted ? loginAnswer(linking) : reply.redirect(d.flowUrls.page('login', linking.id), 303)
    }
    const flows = done.verifications.map(({ flow }) => flow)
    if (fresh && flows.length > 0) await d.verification.bind(flows, d.csrf.token(req))
    const page = flows[0] ? d.flowUrls.page('verification', flows[0].id) : returnTo
    if (!caller.scripted) return reply.redirect(secondFactorAt ?? page, 303)
    if (secondFactorAt !== undefined) return sendError(locationChangeRequired(secondFactorAt), req, reply)
    return { session: answer, continue_with: [...redirectBrowserTo(returnTo), ...goOn] }
  }
}

/** Sent by browsers only: clients that compare answers with those of Kratos get no further cookie. */
const isRealBrowser = (req: FastifyRequest) => req.headers['sec-fetch-site'] !== undefined

const readsJson = (caller: Caller, flow: { type: string }) => caller.scripted || flow.type === 'api'

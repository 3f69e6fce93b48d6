import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Identity, JsonObject } from '../../identities/types.ts'
import { sendError } from '../../kernel/http/error-handler.ts'
import { isJsonRequest } from '../../kernel/http/negotiate.ts'
import { queryValue } from '../../kernel/http/query.ts'
import type { Oauth2 } from '../../oauth2/service.ts'
import { lastEndOf } from '../../sessions/rules.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { AnswerExtras } from '../answer.ts'
import type { ComeBack } from '../continuity/come-back.ts'
import { changedMeanwhile, flowReplaced, signedInAlready } from '../errors.ts'
import { type CallerDeps, callerOf, type Respond, redirectBrowserTo, sendTo, signInBrowser } from '../http.ts'
import type { LoginRouteDeps } from '../login/routes.ts'
import type { LoginOutcome } from '../login/submit.ts'
import { entryHandlers, flowRoutes } from '../routes.ts'
import type { Caller } from '../types.ts'
import type { FlowUrls } from '../urls.ts'
import type { VerificationFlows } from '../verification/flow.ts'
import { showVerification } from '../verification/unasked.ts'
import { registrationAnswer } from './answer.ts'
import type { Registered } from './complete.ts'
import type { RegistrationFlows } from './flow.ts'
import type { RegistrationOutcome } from './submit.ts'
import type { RegistrationFlow } from './types.ts'

export interface RegistrationRouteDeps extends CallerDeps {
  registration: RegistrationFlows
  sessions: Pick<SessionService, 'answer'>
  flowUrls: FlowUrls
  comeBack: ComeBack
  oauth2: Oauth2
  verification: Pick<VerificationFlows, 'bind'>
  identityAnswer(identity: Identity): JsonObject
}

/** @param signedIn answers a form that signs in. @see https://www.ory.com/docs/kratos/self-service/flows/user-registration */
export function registrationRoutes(
  d: RegistrationRouteDeps & Pick<LoginRouteDeps, 'login'>,
  signedIn: Respond<LoginOutcome>,
): FastifyPluginAsync {
  const entry = entryHandlers<RegistrationFlow>(d, {
    kind: 'registration',
    flows: d.registration,
    answer: registrationAnswer,
    tellsSignedIn: isJsonRequest,
  })
  const respond = registrationResponder(d)
  return flowRoutes('registration', {
    ...entry,
    async submit(req, reply) {
      const caller = callerOf(req, d)
      const outcome = await d.registration.submit(queryValue(req, 'flow'), caller)
      if (outcome.kind !== 'otherKind') return respond(req, reply, caller, outcome)
      const flow = await d.login.continueFrom(outcome.flow)
      return signedIn(req, reply, caller, await d.login.submit(flow.id, caller))
    },
  })
}

/** Answers a registration, whichever route it ended at. */
export function registrationResponder(d: RegistrationRouteDeps) {
  return respond

  function respond(req: FastifyRequest, reply: FastifyReply, caller: Caller, outcome: RegistrationOutcome) {
    if (outcome.kind === 'otherKind') return sendError(changedMeanwhile(), req, reply)
    if (outcome.kind === 'failed') return sendError(outcome.error, req, reply)
    if (outcome.kind === 'registered') return registered(req, reply, caller, outcome)
    if (outcome.kind === 'signedInAlready') {
      return caller.scripted
        ? sendError(signedInAlready('registration'), req, reply)
        : reply.redirect(d.flowUrls.home(), 302)
    }
    const page = d.flowUrls.page('registration', outcome.flow.id)
    const readsJson = caller.scripted || outcome.flow.type === 'api'
    switch (outcome.kind) {
      case 'redirect':
        d.comeBack.note(req, reply, outcome.comeBack)
        if (outcome.failed) throw outcome.failed
        return sendTo(outcome.to, readsJson, req, reply)
      case 'replaced':
        return readsJson
          ? sendError(flowReplaced(outcome.expired, outcome.flow), req, reply)
          : reply.redirect(page, 303)
      default:
        if (outcome.kind === 'form' && outcome.asLocation) return sendTo(page, readsJson, req, reply)
        if (readsJson) return shown(outcome.flow, outcome).then((answer) => reply.code(400).send(answer))
        // Kratos distinguishes a form with errors from the next screen by the status.
        return reply.redirect(page, outcome.kind === 'form' ? 302 : 303)
    }
  }

  async function shown(flow: RegistrationFlow, extras: AnswerExtras) {
    return registrationAnswer(flow, { ...extras, oauth2Request: await d.oauth2.requestIfKnown(flow) })
  }

  async function registered(req: FastifyRequest, reply: FastifyReply, caller: Caller, done: Registered) {
    const { issued, verifications } = done
    const identity = d.identityAnswer(done.identity)
    const session = issued && d.sessions.answer(issued.session)
    const goOn = showVerification(d.flowUrls, verifications)
    if (done.flow.type === 'api') {
      if (!issued) return { identity, continue_with: goOn.length > 0 ? goOn : null }
      const continueWith = [...goOn, { action: 'set_ory_session_token', ory_session_token: issued.token }]
      return { session_token: issued.token, session, identity, continue_with: continueWith }
    }
    if (issued) {
      signInBrowser(req, reply, d, { token: issued.token, expiresAt: lastEndOf(issued.session), fresh: true })
    }
    const [first] = verifications
    // The OAuth2 server gets its answer once the address is verified.
    const challenge = first ? undefined : d.oauth2.challengeOf(done.flow)
    const person = { identityId: done.identity.id, session: issued?.session, method: done.method }
    const returnTo = challenge === undefined ? done.returnTo : await d.oauth2.accept(challenge, person)
    if (first) {
      if (!issued) d.csrf.renew(req, reply)
      const flows = verifications.map(({ flow }) => flow)
      await d.verification.bind(flows, d.csrf.token(req))
    }
    const page = first ? d.flowUrls.page('verification', first.flow.id) : returnTo
    if (!caller.scripted) return reply.redirect(page, 303)
    return { ...(session ? { session } : {}), identity, continue_with: [...redirectBrowserTo(returnTo), ...goOn] }
  }
}

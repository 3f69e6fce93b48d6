import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Identity, JsonObject } from '../../identities/types.ts'
import { sendError } from '../../kernel/http/error-handler.ts'
import { acceptsJson, isJsonRequest } from '../../kernel/http/negotiate.ts'
import { queryValue } from '../../kernel/http/query.ts'
import type { Requirement, RequireSession } from '../../sessions/http/require-session.ts'
import { lastEndOf } from '../../sessions/rules.ts'
import type { Resolved } from '../../sessions/types.ts'
import type { ComeBack } from '../continuity/come-back.ts'
import type { Owner } from '../continuity/service.ts'
import { flowReplaced, nobodySignedIn, refreshRequired, sessionMissing, sessionRequired } from '../errors.ts'
import { requestFacts } from '../hooks/request-facts.ts'
import { type CallerDeps, callerOf, leadingOn, redirectBrowserTo, sendTo } from '../http.ts'
import { flowRoutes } from '../routes.ts'
import type { Caller } from '../types.ts'
import type { FlowUrls } from '../urls.ts'
import { showVerification } from '../verification/unasked.ts'
import { settingsAnswer } from './answer.ts'
import type { SettingsFlows } from './flow.ts'
import type { PendingForms } from './pending.ts'
import type { Saved } from './save.ts'
import type { SettingsOutcome } from './submit.ts'
import type { SettingsFlow } from './types.ts'

export interface SettingsRouteDeps extends CallerDeps {
  settings: SettingsFlows
  requireSession: RequireSession
  flowUrls: FlowUrls
  pending: PendingForms
  comeBack: ComeBack
  identityAnswer(identity: Identity): JsonObject
}

/** @see https://www.ory.com/docs/kratos/self-service/flows/user-settings */
export function settingsRoutes(d: SettingsRouteDeps): FastifyPluginAsync {
  const respond = settingsResponder(d)
  const answer = (flow: SettingsFlow, identity: Identity) => settingsAnswer(flow, d.identityAnswer(identity))
  const required = (otherwise: Requirement['otherwise'], handler: Parameters<RequireSession>[1]) =>
    d.requireSession({ otherwise, aal: 'any' }, handler)
  return flowRoutes('settings', {
    beginBrowser: required(toLogin, beginBrowser),
    beginNative: required(refuse, beginNative),
    read: required(toLoginPage, read),
    submit: required(toLoginPage, submit),
  })

  function toLogin(req: FastifyRequest, reply: FastifyReply) {
    if (isJsonRequest(req)) throw nobodySignedIn()
    return reply.redirect(d.flowUrls.init('login', 'browser', queryValue(req, 'return_to')), 303)
  }

  function refuse(): never {
    throw sessionRequired()
  }

  function toLoginPage(req: FastifyRequest, reply: FastifyReply) {
    if (isJsonRequest(req)) throw sessionMissing()
    return reply.redirect(d.flowUrls.loginPage(), 302)
  }

  async function beginBrowser(req: FastifyRequest, reply: FastifyReply, resolved: Resolved) {
    const requestUrl = d.flowUrls.request(req.url)
    const request = {
      type: 'browser' as const,
      requestUrl,
      csrfToken: d.csrf.token(req),
      facts: () => requestFacts(req, d.config()),
    }
    const flow = await d.settings.begin(request, resolved.session)
    await d.pending.drop(req, reply, { identityId: resolved.session.identity_id, sessionId: resolved.session.id })
    return acceptsJson(req)
      ? answer(flow, resolved.session.identity)
      : reply.redirect(d.flowUrls.page('settings', flow.id), 303)
  }

  async function beginNative(req: FastifyRequest, _reply: FastifyReply, resolved: Resolved) {
    const request = {
      type: 'api' as const,
      requestUrl: d.flowUrls.request(req.url),
      csrfToken: '',
      facts: () => requestFacts(req, d.config()),
    }
    return answer(await d.settings.begin(request, resolved.session), resolved.session.identity)
  }

  async function read(req: FastifyRequest, _reply: FastifyReply, { session }: Resolved) {
    const flow = await d.settings.read(queryValue(req, 'id'), session)
    return answer(flow, flow.identity)
  }

  async function submit(req: FastifyRequest, reply: FastifyReply, resolved: Resolved) {
    const owner = { identityId: resolved.session.identity_id, sessionId: resolved.session.id }
    const caller = await callerBack(req, reply, owner)
    const outcome = await d.settings.submit(queryValue(req, 'flow'), caller, resolved)
    return respond(req, reply, caller, outcome, resolved)
  }

  /** A browser that was sent to sign in again returns by a link: its form was kept meanwhile. */
  async function callerBack(req: FastifyRequest, reply: FastifyReply, owner: Owner): Promise<Caller> {
    const caller = leadingOn(callerOf(req, d), 'settings', d.flowUrls)
    if (req.method !== 'GET' || caller.scripted) return caller
    const form = await d.pending.take(req, reply, owner, queryValue(req, 'flow'))
    return form === undefined ? caller : { ...caller, form: async () => form }
  }
}

/** Answers a submit, whichever route it ended at. */
export function settingsResponder(d: SettingsRouteDeps) {
  const answer = (flow: SettingsFlow, identity: Identity) => settingsAnswer(flow, d.identityAnswer(identity))
  return respond

  async function respond(
    req: FastifyRequest,
    reply: FastifyReply,
    caller: Caller,
    outcome: SettingsOutcome,
    resolved: Resolved,
  ) {
    const owner = { identityId: resolved.session.identity_id, sessionId: resolved.session.id }
    if (outcome.kind === 'failed') return sendError(outcome.error, req, reply)
    const readsJson = caller.scripted || outcome.flow.type === 'api'
    if (outcome.kind === 'saved' && req.method === 'POST') await d.pending.drop(req, reply, owner)
    if (outcome.kind === 'saved') return saved(req, reply, readsJson, resolved, outcome)
    if (outcome.kind === 'reauthenticate') {
      if (outcome.flow.type === 'browser') await d.pending.put(req, reply, owner, outcome.method, outcome.form)
      return readsJson ? sendError(refreshRequired(outcome.at), req, reply) : reply.redirect(outcome.at, 303)
    }
    if (outcome.kind === 'redirect') {
      d.comeBack.note(req, reply, outcome.comeBack)
      if (outcome.failed) throw outcome.failed
      return sendTo(outcome.to, readsJson, req, reply)
    }
    if (!readsJson) return reply.redirect(d.flowUrls.page('settings', outcome.flow.id), 303)
    if (outcome.kind === 'next') {
      return { ...answer(outcome.flow, resolved.session.identity), transient_payload: outcome.transientPayload }
    }
    if (outcome.kind === 'replaced') return sendError(flowReplaced(outcome.expired, outcome.flow), req, reply)
    return reply.code(400).send(answer(outcome.flow, resolved.session.identity))
  }

  function saved(req: FastifyRequest, reply: FastifyReply, readsJson: boolean, resolved: Resolved, done: Saved) {
    const body = answer(done.flow, done.identity)
    const goOn = showVerification(d.flowUrls, done.verifications)
    if (done.flow.type === 'api') return goOn.length > 0 ? { ...body, continue_with: goOn } : body
    d.credentials.write(req, reply, { token: resolved.token, expiresAt: lastEndOf(resolved.session) })
    return readsJson
      ? { ...body, continue_with: [...redirectBrowserTo(done.returnTo), ...goOn] }
      : reply.redirect(done.returnTo, 303)
  }
}

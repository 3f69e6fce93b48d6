import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { formFields } from '../../kernel/http/body.ts'
import { sendError } from '../../kernel/http/error-handler.ts'
import { queryPairs, withQuery } from '../../kernel/http/query.ts'
import type { ComeBack } from '../continuity/come-back.ts'
import { methodDisabled } from '../errors.ts'
import { callerOf } from '../http.ts'
import { type LoginRouteDeps, loginResponder } from '../login/routes.ts'
import { type RegistrationRouteDeps, registrationResponder } from '../registration/routes.ts'
import { type SettingsRouteDeps, settingsResponder } from '../settings/routes.ts'
import type { FlowUrls } from '../urls.ts'
import type { CallbackOutcome, ProviderCallback } from './types.ts'

export interface CallbackRouteDeps extends LoginRouteDeps, RegistrationRouteDeps, SettingsRouteDeps {
  providerCallback: ProviderCallback
  comeBack: ComeBack
}

const PATH = '/self-service/methods/oidc/callback'

/** Where providers send browsers back to. @see https://www.ory.com/docs/kratos/social-signin/overview */
export function providerCallbackRoutes(d: CallbackRouteDeps): FastifyPluginAsync {
  const respond = {
    login: loginResponder(d),
    registration: registrationResponder(d),
    settings: settingsResponder(d),
  }
  const forward = { errors: 'forward' as const }
  return async (app) => {
    // Browsers prefetch links, and HEAD must change nothing: a code is spent once.
    app.get(PATH, { config: { ...forward, csrf: 'exempt' } }, comeBack)
    app.get(`${PATH}/:provider`, { config: { ...forward, csrf: 'exempt' } }, comeBack)
    // Guarded: no provider returns to this address by POST.
    app.post(PATH, (req, reply) => asQuery(req, reply, d.flowUrls))
    app.post(`${PATH}/:provider`, { config: { csrf: 'exempt' } }, (req, reply) => asQuery(req, reply, d.flowUrls))
  }

  async function comeBack(req: FastifyRequest<{ Params: { provider?: string } }>, reply: FastifyReply) {
    const at = req.url.indexOf('?')
    const query = new URLSearchParams(at < 0 ? [] : queryPairs(req.url.slice(at + 1)))
    if (!d.providerCallback.enabled()) return sendError(methodDisabled(), req, reply)
    if (isAhead(req)) {
      d.providerCallback.check({ query, provider: req.params.provider })
      return reply.code(204).send()
    }
    const caller = callerOf(req, d)
    const done = await d.providerCallback.complete({
      query,
      provider: req.params.provider,
      containerIds: d.comeBack.find(req, reply, d.providerCallback.container),
      caller,
    })
    if (done.app) return toApp(reply, done)
    switch (done.kind) {
      case 'home':
        return reply.redirect(done.to, 303)
      case 'login':
        return respond.login(req, reply, caller, done.outcome)
      case 'registration':
        return respond.registration(req, reply, caller, done.outcome)
      case 'settings':
        return respond.settings(req, reply, caller, done.outcome, done.resolved)
    }
  }

  /** The waiting app asks for its session with the code. Without a sign-in it reads its flow. */
  async function toApp(reply: FastifyReply, { app, ...done }: CallbackOutcome) {
    const returnTo = d.flowUrls.returnTo(app!.request_url)
    const shown = formOf(done)
    if (shown) return reply.redirect(withQuery(returnTo, { flow: shown.flow.id, ...shown.pageQuery }), 303)
    const session = sessionOf(done)
    const code = session === undefined ? undefined : await d.providerCallback.handOver(app!, session)
    return reply.redirect(code === undefined ? returnTo : withQuery(returnTo, { code }), 303)
  }
}

const isAhead = (req: FastifyRequest) =>
  req.method === 'HEAD' || /prefetch|prerender/i.test(String(req.headers['sec-purpose'] ?? req.headers.purpose ?? ''))

/** Another form than the app knows: the person confirms in a login who they are. */
function formOf(done: Omit<CallbackOutcome, 'app'>) {
  const { kind, outcome } = done as CallbackOutcome & { outcome?: { kind: string } }
  return kind === 'login' && outcome.kind === 'form' && outcome.pageQuery ? outcome : undefined
}

function sessionOf(done: Omit<CallbackOutcome, 'app'>): string | undefined {
  const { kind, outcome } = done as CallbackOutcome & { outcome: { kind: string } }
  if (kind === 'login' && outcome.kind === 'signedIn') return outcome.session.id
  return kind === 'registration' && outcome.kind === 'registered' ? outcome.issued?.session.id : undefined
}

/** A provider's POST carries no cookies: redirect to the same as GET, which does. */
async function asQuery(req: FastifyRequest, reply: FastifyReply, urls: FlowUrls) {
  const [path = '', search = ''] = req.url.split(/\?(.*)/s)
  const pairs = [...formFields(req), ...queryPairs(search)]
  const query = new URLSearchParams(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
  return reply.redirect(urls.request(`${path}?${query}`), 302)
}

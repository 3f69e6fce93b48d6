import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { JsonObject } from '../identities/types.ts'
import { acceptsJson } from '../kernel/http/negotiate.ts'
import { queryValue } from '../kernel/http/query.ts'
import type { Oauth2 } from '../oauth2/service.ts'
import type { Credentials } from '../sessions/types.ts'
import type { AnswerExtras } from './answer.ts'
import type { BeginRequest } from './begin.ts'
import { signedInAlready } from './errors.ts'
import { requestFacts } from './hooks/request-facts.ts'
import { type CallerDeps, sendTo } from './http.ts'
import type { FlowKind } from './kinds.ts'
import type { Flow } from './types.ts'
import type { FlowUrls } from './urls.ts'

type Handler = (req: FastifyRequest, reply: FastifyReply) => unknown

/** The handlers of the requests that every kind of flow has. */
export interface FlowHandlers {
  beginBrowser: Handler
  beginNative: Handler
  read: Handler
  submit: Handler
  /** answers HEAD for a link that is opened with GET; it changes nothing */
  head?: Handler
}

/** The five routes of one kind of flow. */
export function flowRoutes(kind: FlowKind, handlers: FlowHandlers): FastifyPluginAsync {
  const path = `/self-service/${kind}`
  const forward = { config: { errors: 'forward' as const } }
  // A submit is checked with its flow: that of an app needs no token.
  const submit = { config: { errors: 'forward' as const, csrf: 'exempt' as const } }
  return async (app) => {
    app.get(`${path}/browser`, forward, handlers.beginBrowser)
    app.get(`${path}/api`, { config: { csrf: 'exempt' } }, handlers.beginNative)
    app.get(`${path}/flows`, handlers.read)
    app.post(path, submit, handlers.submit)
    // A form sent by GET gets its error in the form. HEAD must change nothing.
    app.get(path, { ...submit, exposeHeadRoute: false }, handlers.submit)
    if (handlers.head) app.head(path, { config: { csrf: 'exempt' } }, handlers.head)
  }
}

/** The outcome of beginning a flow. */
export type Begun<F> =
  | {
      kind: 'begun'
      flow: F
      exchangeCode: string | undefined
      /** the login request of the OAuth2 server that sent the browser */
      oauth2Request?: JsonObject | undefined
    }
  /** the caller is signed in and asked for nothing more */
  | { kind: 'signedIn'; returnTo: string }
  /** the caller is signed in and continues at another address. `found`: by a redirect, whatever the Accept header */
  | { kind: 'elsewhere'; to: string; found?: true }

/** Flows of callers without a session. */
interface EntryFlows<F extends Flow> {
  begin(request: BeginRequest & { credentials: Credentials }): Promise<Begun<F>>
  read(id: string, checkReader: (csrfToken: string) => void): Promise<F>
}

interface Entry<F extends Flow> {
  kind: 'login' | 'registration'
  flows: EntryFlows<F>
  /** the flow as clients see it */
  answer(flow: F, extras?: AnswerExtras): Record<string, unknown>
  /** whether a caller who is signed in already gets an error, rather than a redirect */
  tellsSignedIn(req: FastifyRequest): boolean
}

/** Beginning and reading, the same for login and registration. */
export function entryHandlers<F extends Flow>(
  d: CallerDeps & { flowUrls: FlowUrls; oauth2: Pick<Oauth2, 'requestOf'> },
  { kind, flows, answer, tellsSignedIn }: Entry<F>,
): Pick<FlowHandlers, 'beginBrowser' | 'beginNative' | 'read'> {
  const begin = (req: FastifyRequest, caller: Pick<BeginRequest, 'type' | 'csrfToken'>) =>
    flows.begin({
      ...caller,
      requestUrl: d.flowUrls.request(req.url),
      credentials: d.credentials.read(req),
      facts: () => requestFacts(req, d.config()),
    })
  return {
    async beginBrowser(req, reply) {
      const begun = await begin(req, { type: 'browser', csrfToken: d.csrf.token(req) })
      if (begun.kind === 'begun') {
        return acceptsJson(req) ? answer(begun.flow, begun) : reply.redirect(d.flowUrls.page(kind, begun.flow.id), 303)
      }
      if (begun.kind === 'elsewhere') {
        return begun.found ? reply.redirect(begun.to, 302) : sendTo(begun.to, acceptsJson(req), req, reply)
      }
      if (tellsSignedIn(req)) throw signedInAlready(kind)
      return reply.redirect(begun.returnTo, 303)
    },
    async beginNative(req) {
      const begun = await begin(req, { type: 'api', csrfToken: '' })
      if (begun.kind !== 'begun') throw signedInAlready(kind)
      return answer(begun.flow, { exchangeCode: begun.exchangeCode })
    },
    async read(req) {
      const checkReader = (token: string) => {
        if (!d.csrf.matches(req, token)) throw d.csrf.violation(req, false)
      }
      const flow = await flows.read(queryValue(req, 'id'), checkReader)
      return answer(flow, { oauth2Request: await d.oauth2.requestOf(flow) })
    },
  }
}

import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { anyJsonBody, rawBody } from '../../kernel/http/body.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import { link } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import { MAX_SIZE, readInteger } from '../log/list-query.ts'
import type { Deliveries } from '../receivers/deliveries.ts'
import { DELIVERY_STATES, type DeliveryState } from '../types.ts'
import { readNewWebhook, readReplay, readRotation, readWebhookChange } from './body.ts'
import type { Webhooks } from './webhooks.ts'

export interface WebhookRouteDeps {
  webhooks: Webhooks
  deliveries: Deliveries
}

type WithId = { Params: { id: string } }
type WithSeq = { Params: { id: string; seq: string } }

const DEFAULT_SIZE = 100

/** Receivers of events and their deliveries, for operators. */
export function webhookRoutes({ webhooks, deliveries }: WebhookRouteDeps): FastifyPluginAsync {
  return async (app) => {
    const base = '/events/webhooks'
    app.get(base, () => webhooks.list())
    app.post(base, async (req, reply) => {
      const webhook = await webhooks.create(readNewWebhook(body(req)))
      return reply.code(201).header('location', `/admin/events/webhooks/${webhook.id}`).send(webhook)
    })
    app.get<WithId>(`${base}/:id`, (req) => webhooks.get(req.params.id))
    app.patch<WithId>(`${base}/:id`, (req) => webhooks.change(req.params.id, readWebhookChange(body(req))))
    app.delete<WithId>(`${base}/:id`, async (req, reply) => {
      await webhooks.remove(req.params.id)
      return reply.code(204).send()
    })
    app.post<WithId>(`${base}/:id/secret`, (req) => webhooks.rotate(req.params.id, readRotation(body(req))))

    app.get<WithId>(`${base}/:id/deliveries`, async (req, reply) => {
      const query = new URLSearchParams(splitUrl(req.url)[1])
      const size = readInteger(query, 'page_size', 1, MAX_SIZE) ?? DEFAULT_SIZE
      const before = readInteger(query, 'page_token', 0) ?? Number.MAX_SAFE_INTEGER
      const { deliveries: page, next } = await deliveries.page(req.params.id, before, stateOf(query), size)
      if (next !== undefined) {
        const path = `/admin${base}/${encodeURIComponent(req.params.id)}/deliveries`
        reply.header('link', link('next', path, query, { page_size: String(size), page_token: String(next) }))
      }
      return page
    })
    app.get<WithSeq>(`${base}/:id/deliveries/:seq`, (req) => deliveries.get(req.params.id, seqOf(req.params.seq)))
    app.post<WithSeq>(`${base}/:id/deliveries/:seq/replay`, (req) =>
      deliveries.replayOne(req.params.id, seqOf(req.params.seq)),
    )
    app.post<WithId>(`${base}/:id/replay`, (req) => deliveries.replayRange(req.params.id, readReplay(body(req))))
  }
}

/** An absent body means that every member is absent. */
function body(req: FastifyRequest): unknown {
  return rawBody(req).length === 0 ? {} : anyJsonBody(req)
}

function stateOf(query: URLSearchParams): DeliveryState | 'any' {
  const state = query.get('state') ?? ''
  if (state === '') return 'any'
  const known = DELIVERY_STATES.find((one) => one === state)
  if (!known) throw badRequest(`"state" must be one of ${DELIVERY_STATES.join(', ')}.`)
  return known
}

function seqOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badRequest('The path parameter "seq" is not the position of an event in the log.')
  return Number(text)
}

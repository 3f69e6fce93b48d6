import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { withoutTrailingSlashes } from '../../kernel/base/url.ts'
import { anyJsonBody, jsonBody, rawBody } from '../../kernel/http/body.ts'
import { badRequest, errorAnswer, HttpError } from '../../kernel/http/errors.ts'
import { queryValue } from '../../kernel/http/query.ts'
import { bodyInvalid } from '../failures.ts'
import type { Json } from '../types.ts'
import type { BatchItem } from './batch.ts'
import { type BatchEntry, readBatchBody } from './batch-body.ts'
import { readCreateBody, readUpdateBody } from './bodies.ts'
import type { IdentityAdminRouteDeps } from './routes.ts'

interface WithId {
  Params: { id: string }
}

/** @see Kratos createIdentity, batchPatchIdentities, updateIdentity, patchIdentity, deleteIdentity(Credentials) */
export function identityWriteRoutes(d: IdentityAdminRouteDeps): FastifyPluginAsync {
  const { identities, identityAnswers } = d

  return async (app) => {
    app.post('/identities', async (req, reply) => {
      const identity = await identities.create(readCreateBody(strictJson(req)))
      reply.code(201).header('location', `${withoutTrailingSlashes(d.baseUrls.admin())}/identities/${identity.id}`)
      return identityAnswers.toAdmin(identity)
    })

    app.patch('/identities', async (req) => {
      const entries = readBatchBody(strictJson(req))
      const items = await identities.batch(entries.flatMap(({ create }) => create ?? []))
      return { identities: entries.map((entry) => batchAnswer(entry, entry.create ? items.shift()! : NOTHING_TO_DO)) }
    })

    app.put<WithId>('/identities/:id', async (req) => {
      const identity = await identities.update(req.params.id, readUpdateBody(jsonBody(req)))
      return identityAnswers.toAdmin(identity)
    })

    app.patch<WithId>('/identities/:id', async (req) => {
      const patch = rawBody(req).length === 0 ? undefined : (strictJson(req) as Json)
      return identityAnswers.toAdmin(await identities.patch(req.params.id, patch))
    })

    app.delete<WithId>('/identities/:id', async (req, reply) => {
      await identities.remove(req.params.id, queryFlag(req, 'erase'))
      return reply.code(204).send()
    })

    app.delete<{ Params: { id: string; type: string } }>('/identities/:id/credentials/:type', async (req, reply) => {
      await identities.removeCredential(req.params.id, req.params.type, queryValue(req, 'identifier'))
      return reply.code(204).send()
    })

    app.delete<WithId>('/identities/:id/second-factors', async (req) => {
      const { removed, ended } = await identities.resetFactors(req.params.id, queryFlag(req, 'passkeys'))
      return { removed, ended_sessions: ended }
    })
  }
}

/** A misspelt value is refused, since a deletion cannot be undone. */
function queryFlag(req: FastifyRequest, name: string): boolean {
  const value = queryValue(req, name)
  if (!['', 'true', 'false'].includes(value)) throw badRequest(`${name} is either true or false.`)
  return value === 'true'
}

/** Kratos answers `null`, which its own API description does not allow: generated clients fail to read the list. */
const NOTHING_TO_DO: BatchItem = { kind: 'failed', error: errorAnswer(badRequest('The item has no member "create".')) }

function batchAnswer({ patchId }: BatchEntry, item: BatchItem) {
  const patch = patchId === undefined ? {} : { patch_id: patchId }
  return item.kind === 'created'
    ? { action: 'create', identity: item.id, ...patch }
    : { action: 'error', ...patch, error: item.error }
}

/** JSON of any content type; errors are in `message`, worded as Kratos does. */
function strictJson(req: FastifyRequest): unknown {
  if (rawBody(req).length === 0) throw bodyInvalid('EOF')
  try {
    return anyJsonBody(req)
  } catch (error) {
    if (!(error instanceof HttpError) || !(error.cause instanceof SyntaxError)) throw error
    const cut = /end of JSON|unterminated/i.test(error.cause.message)
    throw bodyInvalid(cut ? 'unexpected EOF' : 'the request body is not JSON')
  }
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JsonObject } from '../../identities/types.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import type { ContinuityCookie } from '../continuity/cookie.ts'
import type { Continuity, Owner } from '../continuity/service.ts'
import type { SubmittedForm } from '../types.ts'
import type { SettingsMethod } from './method.ts'

export interface PendingDeps {
  continuity: Continuity
  continuityCookie: ContinuityCookie
  /** the methods whose forms may wait */
  settingsMethods: readonly Pick<SettingsMethod, 'id'>[]
}

/** Forms that wait until the caller has signed in again. */
export interface PendingForms {
  put(req: FastifyRequest, reply: FastifyReply, owner: Owner, method: string, form: JsonObject): Promise<void>
  /** The one that was sent to this flow, once. */
  take(req: FastifyRequest, reply: FastifyReply, owner: Owner, flowId: string): Promise<SubmittedForm | undefined>
  /** Drops them all: the caller has begun something else. */
  drop(req: FastifyRequest, reply: FastifyReply, owner: Owner): Promise<void>
}

/** The name in cookie and table, as in Kratos, so that either server finishes what the other began. */
const nameOf = (method: string) => `ory_kratos_settings_${method}`

export function createPendingForms(d: PendingDeps): PendingForms {
  const names = d.settingsMethods.map(({ id }) => nameOf(id))
  /** @returns the pending form, after it is removed from table and cookie */
  async function takeAll(req: FastifyRequest, reply: FastifyReply, owner: Owner): Promise<JsonObject[]> {
    const ids = d.continuityCookie.read(req)
    const waiting = names.filter((name) => Object.hasOwn(ids, name))
    if (waiting.length === 0) return []
    d.continuityCookie.write(reply, Object.fromEntries(Object.entries(ids).filter(([name]) => !waiting.includes(name))))
    const forms = waiting.map((name) => (isUuid(ids[name]!) ? d.continuity.resume(name, ids[name]!, owner) : undefined))
    return (await Promise.all(forms)).filter((form) => form !== undefined)
  }

  return {
    async put(req, reply, owner, method, form) {
      const id = await d.continuity.pause(nameOf(method), owner, form)
      if (id !== undefined) d.continuityCookie.write(reply, { ...d.continuityCookie.read(req), [nameOf(method)]: id })
    },
    async take(req, reply, owner, flowId) {
      const values = (await takeAll(req, reply, owner)).find(({ flow }) => flow === flowId)
      return values && { kind: 'json', values, limits: req.server.bodyLimits.json }
    },
    async drop(req, reply, owner) {
      await takeAll(req, reply, owner)
    },
  }
}

import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { cookieValues } from '../../kernel/http/cookies.ts'
import type { RequestFacts } from './types.ts'

/** Of headers and cookies only those that the configuration lists. */
export function requestFacts(req: FastifyRequest, { clients, lethe }: Config): RequestFacts {
  const sent = req.raw.headersDistinct
  const headers = clients.web_hook.header_allowlist.flatMap((name) => {
    const values = sent[name.toLowerCase()]
    return values ? [[canonical(name), values]] : []
  })
  const cookies = lethe.web_hooks.cookies.flatMap((name) =>
    cookieValues(req, name)
      .slice(0, 1)
      .map((value) => [name, value]),
  )
  return {
    method: req.method,
    target: req.originalUrl,
    headers: Object.fromEntries(headers),
    cookies: Object.fromEntries(cookies),
    network: req.client.shared || req.client.network === '' ? undefined : req.client.network,
  }
}

/** `user-agent` as `User-Agent`, the spelling in templates written for Kratos. */
const canonical = (name: string) => name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())

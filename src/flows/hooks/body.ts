import type { JsonObject } from '../../identities/types.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { JsonnetError, type Program } from '../../kernel/jsonnet/index.ts'
import { createPrograms } from '../../kernel/jsonnet/programs.ts'
import type { HookContext, WebHook } from './types.ts'

/** A template can cancel the call: `error "cancel"`. */
export const CANCELLED = Symbol('cancelled')

export interface BodyDeps {
  /** reads the text at an address. @throws Error without the address */
  load(url: string): Promise<string>
  /** the address of a request, as clients know it */
  requestUrl(target: string): string
}

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** Makes the bodies of calls: the template of a hook is a function of `ctx`. */
export function createBodies(d: BodyDeps) {
  const compiled = createPrograms('body')

  async function programAt(address: string): Promise<Program> {
    // Old configurations have paths without a scheme.
    return compiled(await d.load(address.includes('://') ? address : `file://${address}`))
  }

  /** @throws Error that says what is wrong with template or result */
  return async function bodyOf(config: WebHook['config'], context: HookContext): Promise<string | typeof CANCELLED> {
    const type = contentType(config)
    const text = await programAt(config.body!)
    try {
      return encoded(text.run({ tlaCodes: { ctx: stringifyJson(contextOf(d, context) as JsonObject) } }), type)
    } catch (error) {
      if (error instanceof JsonnetError && error.kind === 'runtime' && error.reason === 'cancel') return CANCELLED
      throw error
    }
  }
}

export function contentType({ headers = {} }: WebHook['config']): string {
  const [, type] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type') ?? []
  return type ?? JSON_TYPE
}

function contextOf(d: BodyDeps, { flow, request, identity, session, newIdentityId }: HookContext) {
  return {
    flow,
    request_headers: request.headers,
    request_method: request.method,
    request_url: d.requestUrl(request.target),
    request_cookies: request.cookies,
    ...(identity === undefined ? {} : { identity }),
    ...(session === undefined ? {} : { session }),
    ...(newIdentityId === undefined ? {} : { new_identity_id: newIdentityId }),
  }
}

function encoded(json: string, type: string): string {
  switch (type.split(';')[0]!.trim().toLowerCase()) {
    case JSON_TYPE:
      return json
    case FORM:
      return formOf(JSON.parse(json))
    default:
      throw new Error(`no body can be made for the content type ${type}: use ${JSON_TYPE} or ${FORM}`)
  }
}

function formOf(value: unknown): string {
  const members = Object.entries(Object(value) as Record<string, unknown>)
  if (Array.isArray(value) || members.some(([, text]) => typeof text !== 'string')) {
    throw new Error('a form is made of an object whose members are texts')
  }
  return new URLSearchParams((members as [string, string][]).sort(([a], [b]) => (a < b ? -1 : 1))).toString()
}

import type { FastifyRequest } from 'fastify'
import { isNumber } from '../base/exact-number.ts'
import { assertText, type JsonLimits, parseJson, TextRefused } from '../base/json.ts'
import { badRequest } from './errors.ts'
import { mediaType } from './negotiate.ts'

export const JSON_TYPE = 'application/json'
export const FORM_TYPE = 'application/x-www-form-urlencoded'
export const MULTIPART_TYPE = 'multipart/form-data'

declare module 'fastify' {
  interface FastifyInstance {
    bodyLimits: BodyLimits
  }
}

/** Limits of the bodies at a port. */
export interface BodyLimits {
  /** A larger body is read to its end before it is refused: a client that is still writing would not see the answer. */
  bytes: number
  json: JsonLimits
  /** fields of a form */
  fields: number
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** The bytes of the body; empty when there is none. The server keeps bodies raw, so that each route decides how to read its own. */
export function rawBody(req: FastifyRequest): Buffer {
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0)
}

function decodeText(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    throw badRequest('Unable to decode the request body because it is not valid UTF-8.')
  }
}

const refused = (error: unknown) => (error instanceof TextRefused ? badRequest(error.message) : error)

function decodeJson(text: string, limits: JsonLimits): unknown {
  try {
    return parseJson(text, limits)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw refused(cause)
    // Only the position: the parser quotes the text around it, which may be a password.
    const where = / at position \d+/.exec(cause.message)?.[0] ?? ''
    throw badRequest(`Unable to decode JSON payload: it is not valid JSON${where}.`, { cause })
  }
}

function assertNotEmpty(bytes: Buffer): void {
  if (bytes.length === 0) {
    throw badRequest('Unable to decode HTTP Request Body because its HTTP Header "Content-Length" is zero.')
  }
}

function unknownType(req: FastifyRequest, allowed: string[]): never {
  const given = req.headers['content-type'] ?? ''
  throw badRequest(
    `HTTP ${req.method} Request used unknown HTTP Header "Content-Type: ${given}", only [${allowed.join(' ')}] are supported.`,
  )
}

/**
 * Reads a JSON body that must be sent as JSON.
 * @throws 400 for another content type, an empty body, bad UTF-8 or bad JSON
 */
export function jsonBody(req: FastifyRequest): unknown {
  const bytes = rawBody(req)
  assertNotEmpty(bytes)
  if (mediaType(req) !== JSON_TYPE) unknownType(req, [JSON_TYPE])
  return decodeJson(decodeText(bytes), req.server.bodyLimits.json)
}

/** Reads a JSON body whatever its content type says, as Kratos's admin API does. */
export function anyJsonBody(req: FastifyRequest): unknown {
  return decodeJson(decodeText(rawBody(req)), req.server.bodyLimits.json)
}

/** A form submit: the members of a JSON object, or fields with all their values as text. */
export type FormBody =
  | { kind: 'json'; value: Record<string, unknown> }
  | { kind: 'form'; value: Record<string, string[]> }

/**
 * Reads the body of a self-service submit: JSON, a form, or a multipart form. Form values are strings, a repeated
 * name keeps all its values; the caller gives them their types.
 */
export async function formBody(req: FastifyRequest): Promise<FormBody> {
  const bytes = rawBody(req)
  assertNotEmpty(bytes)
  switch (mediaType(req)) {
    case JSON_TYPE:
      return { kind: 'json', value: jsonForm(decodeText(bytes), req.server.bodyLimits.json) }
    case FORM_TYPE:
      return { kind: 'form', value: formEntries(formFields(req)) }
    case MULTIPART_TYPE:
      return { kind: 'form', value: formEntries(await multipart(req, bytes)) }
    default:
      return unknownType(req, [MULTIPART_TYPE, FORM_TYPE, JSON_TYPE])
  }
}

/**
 * The fields of a body that is a form, in the encoding of URLs. They are counted before they are read.
 * @throws 400 for too many, or bad UTF-8
 */
export function formFields(req: FastifyRequest): URLSearchParams {
  const text = decodeText(rawBody(req))
  const { fields } = req.server.bodyLimits
  let count = 1
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    count += 1
    if (count > fields) throw tooManyFields(fields)
  }
  return new URLSearchParams(text)
}

const tooManyFields = (fields: number) => badRequest(`The form has more than ${fields} fields.`)

function jsonForm(text: string, limits: JsonLimits): Record<string, unknown> {
  let value: unknown
  try {
    value = parseJson(text, limits)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw refused(cause)
    // Kratos stops reading behind the first value, so it takes a number with garbage after it for a number.
    if (/^\s*-?\d/.test(text)) throw notAnObject('Number')
    throw badRequest('Unable to decode form as JSON.', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isNumber(value)) {
    throw notAnObject(jsonKind(value))
  }
  return value as Record<string, unknown>
}

function jsonKind(value: unknown): string {
  if (value === null) return 'Null'
  if (isNumber(value)) return 'Number'
  if (typeof value === 'object') return 'JSON'
  const name = typeof value === 'boolean' ? String(value) : typeof value
  return name[0]!.toUpperCase() + name.slice(1)
}

const notAnObject = (kind: string) => badRequest(`Expected JSON sent in request body to be an object but got: ${kind}`)

async function multipart(req: FastifyRequest, bytes: Buffer): Promise<Iterable<[string, string]>> {
  const headers = { 'content-type': req.headers['content-type'] ?? '' }
  const form = await new Response(new Uint8Array(bytes), { headers }).formData().catch((cause) => {
    throw badRequest('Unable to decode the multipart form.', { cause })
  })
  const { fields } = req.server.bodyLimits
  const all = [...form]
  if (all.length > fields) throw tooManyFields(fields)
  return all.flatMap(([name, value]): [string, string][] => (typeof value === 'string' ? [[name, value]] : []))
}

function formEntries(entries: Iterable<[string, string]>): Record<string, string[]> {
  const out: Record<string, string[]> = Object.create(null)
  for (const [name, value] of entries) {
    try {
      assertText(name)
      assertText(value)
    } catch (error) {
      throw refused(error)
    }
    const values = out[name]
    if (values) values.push(value)
    else out[name] = [value]
  }
  return out
}

import type { FastifyRequest } from 'fastify'
import { isUuid } from '../base/uuid.ts'
import { HttpError } from './errors.ts'

/** The spellings that Kratos reads: with or without dashes, in braces, as URN. */
const SPELLING = /^(?:urn:uuid:)?(?:\{([0-9a-f-]+)\}|([0-9a-f-]+))$/i
const PLAIN = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/

/**
 * A path parameter as UUID in its normal form. Two spellings of one id must not pass as two ids: "not the current
 * session" is decided by comparing them.
 * @throws HttpError 400 before anything reaches the database
 */
export function pathUuid(req: FastifyRequest, name: string): string {
  const given = (req.params as Record<string, string | undefined>)[name] ?? ''
  const [, braced, bare] = SPELLING.exec(given) ?? []
  const id = (braced ?? bare ?? '').toLowerCase().replace(PLAIN, '$1-$2-$3-$4-$5')
  if (!isUuid(id)) throw new HttpError(400, `The path parameter "${name}" is not a UUID.`)
  return id
}

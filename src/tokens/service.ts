import type { Json, JsonObject } from '../identities/types.ts'
import { type Clock, type Micros, SECOND } from '../kernel/base/clock.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { isNumber } from '../kernel/base/exact-number.ts'
import { shortened } from '../kernel/base/text.ts'
import { uuid } from '../kernel/base/uuid.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import { badRequest, unavailable } from '../kernel/http/errors.ts'
import type { Session } from '../sessions/types.ts'
import { KeyUnusable, type SigningKey } from './keys.ts'
import type { TokenTemplate, TokenTemplates } from './templates.ts'

export interface Tokenizer {
  /**
   * A signed token (JWS, compact) that speaks for the session.
   * @param shown the session as the answer shows it, for claims mappers
   * @param until the token expires then at the latest, whatever the template says
   * @throws HttpError 400 unknown template, unusable key, missing external id; 503 key set not readable
   * @see kratos/flows.md "Tokenized whoami"
   */
  tokenize(session: Session, shown: Record<string, unknown>, templateName: string, until?: Micros): Promise<string>
}

export interface TokenizerDeps {
  tokenTemplates(): TokenTemplates
  baseUrls: { public(): string }
  clock: Clock
  random: Random
}

export function createTokenizer(d: TokenizerDeps): Tokenizer {
  return {
    async tokenize(session, shown, templateName, until) {
      const template = d.tokenTemplates().get(templateName)
      if (!template) throw badRequest(`Unable to find tokenizer template ${JSON.stringify(templateName)}.`)
      const subject = subjectOf(session, template)
      const { alg, kid, key } = await keyOf(template)
      const now = Math.floor(d.clock.now() / SECOND)
      const claims: JsonObject = {
        exp: now + template.ttlSeconds,
        iat: now,
        iss: d.baseUrls.public(),
        jti: uuid(d.random),
        nbf: now,
        sid: session.id,
        sub: subject,
      }
      const mapped = mapClaims(template, claims, shown)
      const { CompactSign } = await import('jose')
      const signed: JsonObject = { ...claims, ...mapped, sub: subject }
      if (until !== undefined && !isBefore(signed.exp, until)) signed.exp = Math.floor(until / SECOND)
      return new CompactSign(Buffer.from(stringifyJson(signed)))
        .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }), typ: 'JWT' })
        .sign(key)
    },
  }
}

/** A mapper may give any value, also in a form that is no plain number, such as `1e11`. */
function isBefore(exp: Json | undefined, until: Micros): boolean {
  return isNumber(exp) && Number(String(exp)) * SECOND <= until
}

function subjectOf({ identity }: Session, { subjectSource }: TokenTemplate): string {
  if (subjectSource === 'id') return identity.id
  if (identity.external_id === null || identity.external_id === '') {
    throw badRequest(
      "The session's identity does not have an external ID set, but it is required for the subject claim.",
    )
  }
  return identity.external_id
}

async function keyOf(template: TokenTemplate): Promise<SigningKey> {
  return template.key().catch((error: unknown): never => {
    if (error instanceof KeyUnusable) throw badRequest(error.message, { cause: error })
    throw unavailable(`The key set of tokenizer template ${JSON.stringify(template.name)} cannot be read.`, error, 5)
  })
}

/** The mapper cannot change the subject of a token, as in Kratos. */
function mapClaims({ name, mapClaims: map }: TokenTemplate, claims: JsonObject, shown: Record<string, unknown>) {
  try {
    return map?.({ session: shown as JsonObject, claims }) ?? {}
  } catch (cause) {
    // shown to the caller, whose own session it is about: the operator needs it to correct the mapper
    const said = shortened((cause as Error).message, 300)
    throw badRequest(`Unable to execute the claims mapper of tokenizer template ${JSON.stringify(name)}: ${said}.`, {
      cause,
    })
  }
}

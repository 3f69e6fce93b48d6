import { unavailable } from '../kernel/http/errors.ts'
import type { HttpClientConfig } from '../kernel/outbound/guard.ts'
import { loadJson, loadOptions, loadText, shortUrl } from '../kernel/outbound/load.ts'
import { firstSigningKey, KeyUnusable, keepKey, type SigningKey } from './keys.ts'
import { parseClaimsMapper } from './mapper.ts'
import type { ClaimsMapper } from './types.ts'

/** The parts of the configuration that say which templates there are. */
export interface TokenizerConfig extends HttpClientConfig {
  session: {
    whoami: {
      tokenizer: {
        templates: Readonly<
          Record<
            string,
            {
              /** milliseconds */
              ttl: number
              jwks_url: string
              subject_source: 'id' | 'external_id'
              claims_mapper_url?: string | undefined
            }
          >
        >
      }
    }
  }
}

export interface TokenTemplate {
  name: string
  ttlSeconds: number
  subjectSource: 'id' | 'external_id'
  /** @throws KeyUnusable, or Error when the key set cannot be read */
  key(): Promise<SigningKey>
  /** @throws Error when the mapper could not be read */
  mapClaims: ClaimsMapper | undefined
}

/** A document that a template needs and that could not be read. */
export interface UnreadDocument {
  /** dotted path of the key that names it */
  key: string
  reason: string
}

/** The templates in force. Immutable: a reload replaces them. */
export interface TokenTemplates {
  get(name: string): TokenTemplate | undefined
  readonly unread: readonly UnreadDocument[]
  /** mappers that can be used and may fail */
  readonly doubts: readonly UnreadDocument[]
}

/** A template cannot be used. The message names it and says why. */
export class TokenTemplateError extends Error {
  override readonly name = 'TokenTemplateError'
}

/**
 * Reads the documents that the templates name. One that cannot be read is logged, and its template fails when a client asks
 * for it: Kratos starts with such files, and a missing key of one client must not sign everyone out. A mapper that was read but
 * is not valid is refused, because it could be mistaken for one that works.
 * @param cwd directory that relative `file://` addresses start from
 * @param now milliseconds of a monotonic clock
 * @throws TokenTemplateError
 */
export async function createTokenTemplates(
  config: TokenizerConfig,
  cwd: string,
  now: () => number,
): Promise<TokenTemplates> {
  const options = loadOptions(config, cwd)
  const templates = new Map<string, TokenTemplate>()
  const unread: UnreadDocument[] = []
  const doubts: UnreadDocument[] = []
  const note = (where: string, url: string) => (error: Error) => {
    unread.push({ key: where, reason: `${shortUrl(url)} ${error.message}` })
  }
  async function readMapper(url: string, where: string): Promise<ClaimsMapper> {
    const text = await loadText(url, options).catch(note(where, url))
    if (text === undefined) return unreadable(where)
    const doubt = (reason: string) => doubts.push({ key: where, reason: `${shortUrl(url)} ${reason}` })
    try {
      return parseClaimsMapper(text, doubt)
    } catch (cause) {
      const reason = `${where} (${shortUrl(url)}) ${(cause as Error).message}`
      throw new TokenTemplateError(reason, { cause })
    }
  }
  for (const [name, entry] of Object.entries(config.session.whoami.tokenizer.templates)) {
    const where = `session.whoami.tokenizer.templates.${name}`
    const { jwks_url: jwksUrl, claims_mapper_url: mapperUrl } = entry
    const key = keepKey(async () => firstSigningKey(await loadJson(jwksUrl, { ...options, tries: 1 })), now)
    if (!/^https?:/i.test(jwksUrl))
      await key()
        .catch(tolerateUnusable)
        .catch(note(`${where}.jwks_url`, jwksUrl))
    const mapClaims = mapperUrl === undefined ? undefined : await readMapper(mapperUrl, `${where}.claims_mapper_url`)
    templates.set(name, {
      name,
      ttlSeconds: Math.trunc(entry.ttl / 1000),
      subjectSource: entry.subject_source,
      key,
      mapClaims,
    })
  }
  return { get: (name) => templates.get(name), unread, doubts }
}

/** Kratos starts with such a key and fails where a client asks for a token. */
function tolerateUnusable(error: unknown): void {
  if (!(error instanceof KeyUnusable)) throw error
}

const unreadable =
  (where: string): ClaimsMapper =>
  () => {
    throw unavailable(`${where} could not be read.`)
  }

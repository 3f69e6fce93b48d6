import { type HttpClientConfig, loadJson, loadOptions, loadText, shortUrl } from '../../documents/load.ts'
import { firstSigningKey, KeyUnusable, keepKey, type SigningKey } from './tokenizer-keys.ts'
import { type ClaimsMapper, parseClaimsMapper } from './tokenizer-mapper.ts'

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
  mapClaims: ClaimsMapper | undefined
}

/** The templates in force. Immutable: a reload makes new ones. */
export interface TokenTemplates {
  get(name: string): TokenTemplate | undefined
}

/** A template cannot be used. The message names it and says why. */
export class TokenTemplateError extends Error {
  override readonly name = 'TokenTemplateError'
}

/**
 * Reads what the templates point to. Mappers and local key sets must be readable now; key sets over HTTP are read when
 * they are first needed, so that another machine's outage does not keep this one from starting.
 * @param cwd directory that relative `file://` addresses start from
 * @param now milliseconds of a clock that only goes forward
 * @throws TokenTemplateError
 */
export async function createTokenTemplates(
  config: TokenizerConfig,
  cwd: string,
  now: () => number,
): Promise<TokenTemplates> {
  const options = loadOptions(config, cwd)
  const templates = new Map<string, TokenTemplate>()
  for (const [name, entry] of Object.entries(config.session.whoami.tokenizer.templates)) {
    const where = `session.whoami.tokenizer.templates.${name}`
    const { jwks_url: jwksUrl, claims_mapper_url: mapperUrl } = entry
    const key = keepKey(async () => firstSigningKey(await loadJson(jwksUrl, { ...options, tries: 1 })), now)
    if (!/^https?:/i.test(jwksUrl))
      await key()
        .catch(tolerateUnusable)
        .catch(refuse(`${where}.jwks_url`, jwksUrl))
    const mapClaims =
      mapperUrl === undefined
        ? undefined
        : await loadText(mapperUrl, options)
            .then(parseClaimsMapper)
            .catch(refuse(`${where}.claims_mapper_url`, mapperUrl))
    templates.set(name, {
      name,
      ttlSeconds: Math.trunc(entry.ttl / 1000),
      subjectSource: entry.subject_source,
      key,
      mapClaims,
    })
  }
  return { get: (name) => templates.get(name) }
}

/** Kratos starts with such a key, and says so where a token is asked for. */
function tolerateUnusable(error: unknown): void {
  if (!(error instanceof KeyUnusable)) throw error
}

function refuse(where: string, url: string) {
  return (cause: Error): never => {
    throw new TokenTemplateError(`${where} (${shortUrl(url)}) ${cause.message}`, { cause })
  }
}

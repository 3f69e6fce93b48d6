import type { Json, JsonObject, TraitAddress } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { badRequest, internalError } from '../../kernel/http/errors.ts'
import { compileProgram, type Program } from '../../kernel/jsonnet/index.ts'
import { type Claims, member, textAt } from './claims.ts'
import { invalidConfiguration } from './errors.ts'

/** What a mapper makes of the claims. */
export interface Mapped {
  traits: JsonObject
  metadataPublic: Json
  metadataAdmin: Json
  verified: readonly TraitAddress[]
}

export interface MapperDeps {
  clock: Clock
  /** @throws Error without the address */
  loadText(url: string): Promise<string>
}

const KEPT_MICROS = 60 * 60 * 1_000_000
/** Mappers that are kept: those of the configuration, and a few of before a reload. */
const MOST_KEPT = 200
/** Of input and output, as at Kratos. */
const MAX_BYTES = 64 * 1024

/** Mappers written in Jsonnet. @see https://www.ory.com/docs/kratos/social-signin/data-mapping */
export function createMappers({ clock, loadText }: MapperDeps) {
  const programs = new Map<string, { program: Program; at: number }>()

  async function program(url: string): Promise<Program> {
    const kept = programs.get(url)
    if (kept && clock.now() - kept.at < KEPT_MICROS) return kept.program
    const made = compileProgram(await loadText(url), 'oidc mapper')
    programs.delete(url)
    programs.set(url, { program: made, at: clock.now() })
    for (const oldest of programs.keys()) {
      if (programs.size <= MOST_KEPT) break
      programs.delete(oldest)
    }
    return made
  }

  async function evaluate(url: string, claims: Claims): Promise<Json> {
    try {
      const input = JSON.stringify(claims)
      if (Buffer.byteLength(input) > MAX_BYTES) throw new Error('the claims are larger than 64 KiB')
      const output = (await program(url)).run({ extCodes: { claims: input } })
      if (Buffer.byteLength(output) > MAX_BYTES) throw new Error('the output is larger than 64 KiB')
      return JSON.parse(output) as Json
    } catch (error) {
      throw internalError(undefined, { cause: error })
    }
  }

  return {
    /** @throws HttpError 500 for a mapper that fails, 400 for addresses that are no list */
    async map(url: string, claims: Claims): Promise<Mapped> {
      const identity = member(await evaluate(url, claims), 'identity')
      const traits = member(identity, 'traits')
      if (!isObject(traits)) throw internalError(notA('an object', 'identity.traits'))
      return {
        traits,
        metadataPublic: metadata(identity, 'metadata_public'),
        metadataAdmin: metadata(identity, 'metadata_admin'),
        verified: addresses(member(identity, 'verified_addresses')),
      }
    },
  }
}

const notA = (what: string, key: string) =>
  `OpenID Connect Jsonnet mapper did not return ${what} for key ${key}. Please check your Jsonnet code!`

function metadata(identity: Json | undefined, name: string): Json {
  const value = member(identity, name)
  if (value === undefined || value === null) return null
  if (!isObject(value)) throw invalidConfiguration(notA('an object', `identity.${name}`))
  return value
}

function addresses(value: Json | undefined): TraitAddress[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw badRequest(notA('an array', 'identity.verified_addresses'))
  return value.map((one) => {
    const [via, text] = [textAt(one, 'via'), textAt(one, 'value')]
    return { via, value: via === 'email' ? text.trim().toLowerCase() : text }
  })
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

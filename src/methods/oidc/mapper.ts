import { isObject, type Json, type JsonObject, type TraitAddress } from '../../identities/types.ts'
import { type Clock, type Micros, SECOND } from '../../kernel/base/clock.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { badRequest, internalError } from '../../kernel/http/errors.ts'
import { createPrograms } from '../../kernel/jsonnet/programs.ts'
import { type Claims, member, textAt as textIn } from './claims.ts'
import { invalidConfiguration, untrustworthy } from './errors.ts'

/** The result of a mapper. */
export interface Mapped {
  traits: JsonObject
  metadataPublic: Json
  metadataAdmin: Json
  verified: readonly TraitAddress[]
}

export interface MapperDeps {
  /** another object after each reload */
  config(): object
  clock: Clock
  /** @throws Error without the address */
  loadText(url: string): Promise<string>
}

/** How long a mapper from another server is cached. */
const KEPT: Micros = 60 * 60 * SECOND
/** Pause before a server that failed is asked again. */
const RETRY: Micros = 60 * SECOND
/** Texts; emptied when there are more. */
const MOST_FETCHED = 200
/** Of input and output, as in Kratos. */
const MAX_BYTES = 64 * 1024

/** Mappers written in Jsonnet. @see https://www.ory.com/docs/kratos/social-signin/data-mapping */
export function createMappers({ config, clock, loadText }: MapperDeps) {
  /** of other servers, by address */
  const fetched = new Map<string, { text: string; at: Micros }>()
  let fetchedFor: object | undefined
  const compiled = createPrograms('oidc mapper')

  /** A file is read each time. A mapper from another server is kept until a reload, and longer while its server is away. */
  async function textAt(url: string): Promise<string> {
    if (!/^https?:/i.test(url)) return loadText(url)
    if (fetchedFor !== config()) fetched.clear()
    fetchedFor = config()
    const kept = fetched.get(url)
    if (kept && clock.now() - kept.at < KEPT) return kept.text
    const text = await loadText(url).catch((error: unknown) => {
      if (kept) return undefined
      throw error
    })
    const read = text === undefined ? { text: kept!.text, at: clock.now() - KEPT + RETRY } : { text, at: clock.now() }
    if (fetched.size >= MOST_FETCHED) fetched.clear()
    fetched.set(url, read)
    return read.text
  }

  async function evaluate(url: string, claims: Claims): Promise<Json> {
    const input = stringifyJson(claims)
    if (Buffer.byteLength(input) > MAX_BYTES) {
      throw untrustworthy('the provider says more about the person than the 64 KiB that can be read')
    }
    let output: string
    try {
      output = compiled(await textAt(url)).run({ extCodes: { claims: input } })
    } catch (error) {
      throw internalError(undefined, { cause: error })
    }
    if (Buffer.byteLength(output) > MAX_BYTES) {
      throw internalError(undefined, { cause: new Error('the output of the mapper is larger than 64 KiB') })
    }
    return JSON.parse(output) as Json
  }

  return {
    /** @throws HttpError 500 for a mapper that fails, 400 for too many claims, and for addresses that are no list */
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
    const [via, text] = [textIn(one, 'via'), textIn(one, 'value')]
    return { via, value: via === 'email' ? text.trim().toLowerCase() : text }
  })
}

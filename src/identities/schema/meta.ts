import { Ajv, type ErrorObject } from 'ajv'
import { EXTENSION } from './extension.ts'

const flag = (name: string) => group({ [name]: { type: 'boolean' } })
const group = (properties: object) => ({ type: 'object', additionalProperties: false, properties })
const choice = (...options: string[]) => ({ type: 'string', enum: options })
const VIA = choice('email', 'sms')

/** Shape of the member `ory.sh/kratos`, wherever it is. */
const EXTENSION_SCHEMA = group({
  credentials: group({
    password: flag('identifier'),
    webauthn: flag('identifier'),
    passkey: flag('display_name'),
    totp: flag('account_name'),
    code: group({ identifier: { type: 'boolean' }, via: VIA }),
  }),
  verification: group({ via: VIA }),
  recovery: group({ via: VIA }),
  organizations: group({ matcher: choice('email_domain') }),
})

const VERIFIABLE_FORMATS = ['email', 'tel', 'date', 'time', 'date-time', 'no-validate']

/** What makes a JSON schema an identity schema: an object `traits` with at least one property. */
const IDENTITY_SCHEMA = {
  $id: 'identity-schema',
  type: 'object',
  required: ['properties'],
  properties: {
    properties: {
      type: 'object',
      required: ['traits'],
      properties: {
        traits: {
          type: 'object',
          required: ['properties'],
          properties: {
            type: { const: 'object' },
            properties: { type: 'object', minProperties: 1, additionalProperties: { $ref: '#/definitions/trait' } },
          },
        },
      },
    },
  },
  definitions: {
    trait: {
      type: 'object',
      allOf: [{ $ref: '#/definitions/extended' }],
      if: {
        required: [EXTENSION],
        properties: { [EXTENSION]: { type: 'object', required: ['verification'] } },
      },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
      then: { properties: { format: { enum: VERIFIABLE_FORMATS } } },
    },
    extended: {
      type: ['object', 'array', 'string', 'number', 'boolean', 'null'],
      properties: { [EXTENSION]: EXTENSION_SCHEMA },
      additionalProperties: { $ref: '#/definitions/extended' },
      items: { $ref: '#/definitions/extended' },
    },
  },
}

let compiled: ((document: unknown) => string | undefined) | undefined

/** Checks whole documents; returns what is wrong, or undefined. Compiled once: that takes longer than all checks. */
export function metaCheck(): (document: unknown) => string | undefined {
  compiled ??= compile()
  return compiled
}

function compile(): (document: unknown) => string | undefined {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const draft07 = ajv.getSchema('http://json-schema.org/draft-07/schema')!
  const identity = ajv.compile(IDENTITY_SCHEMA)
  return (document) => {
    if (!draft07(document)) return describe(draft07.errors)
    if (!identity(document)) return describe(identity.errors)
    return undefined
  }
}

function describe(errors: ErrorObject[] | null | undefined): string {
  const [error] = errors ?? []
  if (!error) return 'is not an identity schema'
  const names = Object.values(error.params).filter((value) => typeof value === 'string' || Array.isArray(value))
  const detail =
    error.keyword === 'enum' || error.keyword === 'additionalProperties' ? ` (${names.flat().join(', ')})` : ''
  return `at ${error.instancePath === '' ? '/' : error.instancePath}: ${error.message ?? error.keyword}${detail}`
}

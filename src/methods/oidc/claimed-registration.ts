import type { Config } from '../../config/schema/schema.ts'
import { type SchemaLookup, selectSchema } from '../../flows/begin.ts'
import type { NextForm } from '../../flows/engine/step.ts'
import { messages } from '../../flows/messages.ts'
import { csrfNode, submitNode, traitNode } from '../../flows/nodes.ts'
import { FormRefused } from '../../flows/refused.ts'
import type { CheckedRegistration } from '../../flows/registration/method.ts'
import type { RegistrationFlow } from '../../flows/registration/types.ts'
import { traitValues } from '../../flows/traits.ts'
import type { FormProblem, UiNode } from '../../flows/types.ts'
import { type IdentitySchema, isObject, type Json, type JsonObject } from '../../identities/types.ts'
import type { Cipher } from '../../kernel/crypto/cipher.ts'
import { credentialOf, newEntry, OIDC } from './credential.ts'
import { kindOf } from './kinds.ts'
import type { createMappers } from './mapper.ts'
import { goOn } from './messages.ts'
import { type KnownByProvider, proofOf } from './sign-in.ts'

export interface ClaimedRegistrationDeps {
  config(): Config
  schemas(): SchemaLookup
  mappers: ReturnType<typeof createMappers>
  cipher: Cipher
}

export type ClaimedRegistrations = ReturnType<typeof createClaimedRegistrations>

/** The provider does not give everything that the schema needs: the form asks for the rest. */
export class NotEnough extends Error {
  override readonly name = 'NotEnough'
  readonly form: Partial<NextForm>
  constructor(form: Partial<NextForm> | 'taken') {
    super('the form has to be shown again')
    this.form = form === 'taken' ? { problems: [{ message: messages.taken }] } : form
  }
}

/** Makes a registration from what a provider says. */
export function createClaimedRegistrations(d: ClaimedRegistrationDeps) {
  function form(flow: RegistrationFlow, schema: IdentitySchema, known: KnownByProvider, traits: Json): UiNode[] {
    const group = d.config().feature_flags.legacy_oidc_registration_node_group ? OIDC : 'default'
    const values = traitValues(traits, schema.inputs)
    const inputs = schema.inputs.map((input) => traitNode(input, values.get(input.name), { group }))
    const button = submitNode('oidc', known.provider.id, goOn, 'provider')
    const csrf = csrfNode(flow.csrf_token)
    return group === OIDC ? [...inputs, button, csrf] : [button, csrf, ...inputs]
  }

  return {
    /** @throws FormRefused */
    check(schema: IdentitySchema, traits: Json): void {
      const violations = schema.validate(traits)
      const derived = schema.derive(traits)
      const problems = derived.kind === 'failure' ? [...violations, ...derived.violations] : violations
      if (problems.length > 0) throw new FormRefused(problems)
    },

    /**
     * @param sent traits from the form: they win over those of the provider
     * @throws NotEnough when the schema is not satisfied, HttpError
     */
    async make(flow: RegistrationFlow, known: KnownByProvider, sent: Json) {
      const { provider } = known
      const mapped = await d.mappers.map(provider.mapper_url, known.claims)
      const schema = selectSchema(d.schemas(), flow.identity_schema)
      const traits = merged(mapped.traits, sent)
      const refuse = (problems: readonly FormProblem[]) =>
        new NotEnough({ nodes: form(flow, schema, known, traits), problems })
      const derived = schema.derive(traits)
      const violations = schema.validate(traits)
      if (derived.kind === 'failure') throw refuse(derived.violations)
      if (violations.length > 0) throw refuse(violations)
      const checked: CheckedRegistration = {
        kind: 'checked',
        traits,
        metadata: { public: mapped.metadataPublic, admin: mapped.metadataAdmin },
        credentials: [credentialOf([newEntry(d.cipher, known)])],
        verified: kindOf(provider).mayVerify?.(provider, known.claims) === false ? [] : mapped.verified,
        ...proofOf(known),
      }
      return { schema, checked, derived }
    },
  }
}

/** Members of the second win, at every depth. */
function merged(base: Json, over: Json): Json {
  if (!isObject(base) || !isObject(over)) return over
  const all: JsonObject = { ...base }
  for (const [name, value] of Object.entries(over)) {
    const known = Object.hasOwn(all, name) ? all[name] : undefined
    Object.defineProperty(all, name, {
      value: known === undefined ? value : merged(known, value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return all
}

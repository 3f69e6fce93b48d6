import type { Config } from '../../config/schema/schema.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { submitNode, traitNode } from '../../flows/nodes.ts'
import { FormRefused, refused } from '../../flows/refused.ts'
import type { SettingsMethod } from '../../flows/settings/method.ts'
import { submittedTraits, traitValues } from '../../flows/traits.ts'
import type { SubmittedForm } from '../../flows/types.ts'
import type { IdentityService } from '../../identities/service.ts'
import { assertSize } from '../../identities/sizes.ts'
import type { DerivedTraits, IdentitySchema, Json, JsonObject } from '../../identities/types.ts'
import { Conflict } from '../../kernel/db/client.ts'
import { badRequest, HttpError } from '../../kernel/http/errors.ts'

export interface ProfileSettingsDeps {
  config(): Config
  identities: Pick<IdentityService, 'updateTraits'>
}

export function profileSettings(d: ProfileSettingsDeps): SettingsMethod {
  const enabled = () => d.config().selfservice.methods.profile.enabled
  return {
    id: 'profile',
    async form({ schema, identity }) {
      if (!enabled()) return NO_PART
      const values = traitValues(identity.traits, schema.inputs)
      const traits = schema.inputs.map((input) => traitNode(input, values.get(input.name), { group: 'profile' }))
      return { nodes: [...traits, submitNode('profile', 'profile', messages.save)] }
    },
    takes: (form) => fieldText(form, 'method') === 'profile' && enabled(),
    kept: (form, schema) => traitValues(submittedTraits(form, schema), schema.inputs),
    async change({ form, schema, identity: was }) {
      if (!hasTraits(form)) throw badRequest('Did not receive any value changes.')
      const traits = submittedTraits(form, schema)
      assertSize('traits', d.config().lethe.limits.traits, traits, was.traits)
      const violations = schema.validate(traits)
      if (violations.length > 0) throw new FormRefused(violations)
      const after = protectedPart(schema, traits)
      return {
        kind: 'change',
        needsPrivilege: (identity) => after !== protectedPart(schema, identity.traits),
        preview: (identity) => ({ ...identity, traits: traits as JsonObject }),
        write: (tx) => d.identities.updateTraits(was.id, traits, tx).catch(taken),
      }
    },
    waiting: (form, schema) => ({ traits: submittedTraits(form, schema) }),
  }
}

const hasTraits = (form: SubmittedForm) =>
  Object.keys(form.values).some((name) => name === 'traits' || name.startsWith('traits.'))

function taken(error: unknown): never {
  const conflict = error instanceof Conflict || (error instanceof HttpError && error.status === 409)
  throw conflict ? refused(messages.taken) : error
}

/** The identifiers and recovery addresses, in a form that can be compared. */
function protectedPart(schema: IdentitySchema, traits: Json): string {
  const { identifiers, verifiable, recovery } = derive(schema, traits)
  return JSON.stringify([[...identifiers], verifiable, recovery])
}

function derive(schema: IdentitySchema, traits: Json): DerivedTraits {
  const derived = schema.derive(traits)
  if (derived.kind === 'failure') throw new FormRefused(derived.violations)
  return derived
}

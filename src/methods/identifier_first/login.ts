import type { Config } from '../../config/schema/schema.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { fieldText } from '../../flows/form.ts'
import { identifierNode } from '../../flows/login/form.ts'
import type { LoginMethod } from '../../flows/login/method.ts'
import { info } from '../../flows/messages.ts'
import { submitNode } from '../../flows/nodes.ts'
import { isLongerThan, MAX_IDENTIFIER } from '../../identities/normalise.ts'
import type { IdentityService } from '../../identities/service.ts'

export interface IdentifierFirstDeps {
  config(): Config
  identities: Pick<IdentityService, 'findByAnyIdentifier'>
}

const METHOD = 'identifier_first'
const proceed = info(1070009, 'Continue')

/** The first step: the identifier. Then the form offers the methods of its owner. */
export function identifierFirst(d: IdentifierFirstDeps): LoginMethod {
  return {
    id: METHOD,
    async form({ purpose, schema }) {
      if (purpose.kind !== 'identifier') return NO_PART
      const { attributes, ...node } = identifierNode(schema)
      const identifier = { ...node, group: METHOD, attributes: { ...attributes, autocomplete: 'username webauthn' } }
      return { nodes: [identifier, submitNode(METHOD, METHOD, proceed)] }
    },
    // Whatever no other method takes, whichever method it names.
    takes: (_form, flow) => d.config().selfservice.flows.login.style === METHOD && flow.requested_aal === 'aal1',
    kept: (form) => new Map([['identifier', fieldText(form, 'identifier')]]),
    async login({ form }) {
      const identifier = fieldText(form, 'identifier')
      const known = identifier !== '' && !isLongerThan(identifier, MAX_IDENTIFIER)
      const account = known ? await d.identities.findByAnyIdentifier(identifier) : undefined
      return { kind: 'identified', identifier, account }
    },
  }
}

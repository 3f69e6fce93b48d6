import type { Config } from '../../config/schema/schema.ts'
import { passwordHashOf } from '../../credentials/password.ts'
import type { SchemaLookup } from '../../flows/begin.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { fieldText } from '../../flows/form.ts'
import { identifierNode } from '../../flows/login/form.ts'
import type { LoginMethod, LoginView } from '../../flows/login/method.ts'
import { messages } from '../../flows/messages.ts'
import { passwordNode, submitNode } from '../../flows/nodes.ts'
import { FormRefused } from '../../flows/refused.ts'
import type { FormProblem, SubmittedForm, UiNode } from '../../flows/types.ts'
import { type AuthenticateDeps, authenticate, renewHash } from './authenticate.ts'

export interface PasswordLoginDeps extends AuthenticateDeps {
  config(): Config
  schemas(): SchemaLookup
}

export function passwordLogin(d: PasswordLoginDeps): LoginMethod {
  const enabled = () => d.config().selfservice.methods.password.enabled

  /** The identifier of the account's password; undefined without a password. */
  async function ownIdentifier({ account }: LoginView): Promise<string | undefined> {
    const identity = await account()
    if (!identity || passwordHashOf(identity.credentials) === undefined) return undefined
    const derived = d.schemas().get(identity.schema_id)?.derive(identity.traits)
    return derived?.kind === 'derived' ? derived.identifiers.get('password')?.[0] : undefined
  }

  async function nodesFor(view: LoginView): Promise<UiNode[]> {
    switch (view.purpose.kind) {
      case 'identifier':
        return []
      case 'firstFactor':
        if (view.purpose.identifier !== undefined) return (await mayHavePassword(view)) ? PASSWORD_ALONE : []
        return passwordForm(identifierNode(view.schema), messages.signInWithPassword)
      case 'refresh': {
        const identifier = await ownIdentifier(view)
        return identifier === undefined ? [] : passwordForm(identifierNode(identifier), messages.signIn)
      }
      case 'secondFactor':
        return []
    }
  }

  async function mayHavePassword({ account }: LoginView): Promise<boolean> {
    if (d.config().security.account_enumeration.mitigate) return true
    const identity = await account()
    return identity !== undefined && passwordHashOf(identity.credentials) !== undefined
  }

  return {
    id: 'password',
    form: async (view) => (enabled() ? { nodes: await nodesFor(view) } : NO_PART),
    takes: (form, flow) => fieldText(form, 'method') === 'password' && enabled() && flow.requested_aal === 'aal1',
    kept: (form) => new Map([['identifier', readIdentifier(form)]]),
    async login({ form, caller }) {
      const proof = { identifier: readIdentifier(form), password: fieldText(form, 'password') }
      assertComplete(proof)
      const { identity, hash } = await authenticate(d, proof, caller)
      return {
        kind: 'proved',
        identity,
        authentication: { method: 'password', aal: 'aal1' },
        passwordHash: hash,
        identifier: proof.identifier,
        after: () => renewHash(d, { identity, hash }, proof.password),
      }
    },
  }
}

const PASSWORD_ALONE: UiNode[] = [
  passwordNode('current-password'),
  submitNode('password', 'password', messages.signInWithPassword),
]

const passwordForm = (identifier: UiNode, button: typeof messages.signIn): UiNode[] => [
  identifier,
  passwordNode('current-password'),
  submitNode('password', 'password', button),
]

/** `password_identifier` is its name in old forms. */
const readIdentifier = (form: SubmittedForm) => fieldText(form, 'identifier') || fieldText(form, 'password_identifier')

function assertComplete(proof: { identifier: string; password: string }): void {
  const missing = (['identifier', 'password'] as const).filter((name) => proof[name] === '')
  const problems = missing.map((name): FormProblem => ({ path: name, message: messages.missing(name) }))
  if (problems.length > 0) throw new FormRefused(problems)
}

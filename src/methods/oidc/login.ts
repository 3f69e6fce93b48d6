import type { Config } from '../../config/schema/schema.ts'
import { type SchemaLookup, selectSchema } from '../../flows/begin.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText, transientPayload } from '../../flows/form.ts'
import type { LoginMethod, LoginView } from '../../flows/login/method.ts'
import { submitNode } from '../../flows/nodes.ts'
import { submittedTraits } from '../../flows/traits.ts'
import type { SubmittedForm } from '../../flows/types.ts'
import { linkedOf, OIDC } from './credential.ts'
import type { Provider } from './kind.ts'
import { signInWith } from './messages.ts'
import { bringsIdToken, type IdTokens } from './native/id-token.ts'
import type { ProviderSignIn } from './sign-in.ts'

export interface OidcLoginDeps {
  config(): Config
  schemas(): SchemaLookup
  providers: ProviderSignIn
  idTokens: IdTokens
  /** the code with which an app gets its session, if it asked for one */
  initCodeOf(flowId: string): Promise<string | undefined>
}

export function oidcLogin(d: OidcLoginDeps): LoginMethod {
  async function offered(view: LoginView): Promise<readonly Provider[]> {
    const all = d.providers.offered()
    const { purpose } = view
    if (purpose.kind === 'secondFactor') return []
    if (purpose.kind === 'identifier') return all
    if (purpose.kind === 'firstFactor' && purpose.identifier === undefined) return all
    // The form must not reveal which accounts exist.
    if (purpose.kind === 'firstFactor' && d.config().security.account_enumeration.mitigate) return all
    const linked = new Set(linkedOf((await view.account())?.credentials ?? []).map(({ provider }) => provider))
    return all.filter(({ id }) => linked.has(id))
  }

  return {
    id: OIDC,
    async form(view) {
      if (!d.providers.enabled()) return NO_PART
      const nodes = (await offered(view)).map((one) => submitNode('oidc', one.id, signInWith(one), 'provider'))
      return { nodes }
    },
    takes: (form, flow) => flow.requested_aal === 'aal1' && namesProvider(form),
    kept: () => new Map(),
    keepsCookies: true,
    async login({ flow, form }) {
      if (!d.providers.enabled()) throw methodDisabled()
      if (bringsIdToken(form)) return d.idTokens.login(form)
      const provider = d.providers.find(fieldText(form, 'provider'))
      return d.providers.leave({
        kind: 'login',
        provider,
        flow,
        refresh: flow.refresh,
        form,
        traits: submittedTraits(form, selectSchema(d.schemas(), flow.identity_schema)),
        payload: transientPayload(form),
        initCode: await d.initCodeOf(flow.id),
      })
    },
  }
}

/** The button names the provider, and may omit the method. */
export function namesProvider(form: SubmittedForm, name = 'provider'): boolean {
  const method = fieldText(form, 'method').toLowerCase()
  return (method === '' || method === OIDC) && fieldText(form, name) !== ''
}

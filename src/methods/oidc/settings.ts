import type { Config } from '../../config/schema/schema.ts'
import type { CodeUse } from '../../credentials/descriptor.ts'
import { firstFactors } from '../../credentials/first-factors.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText, transientPayload } from '../../flows/form.ts'
import { submitNode } from '../../flows/nodes.ts'
import type { SettingsMethod } from '../../flows/settings/method.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity } from '../../identities/types.ts'
import { badRequest, notFound } from '../../kernel/http/errors.ts'
import { linkedOf, OIDC, withLinked } from './credential.ts'
import { namesProvider } from './login.ts'
import { linkTo, unlinkFrom } from './messages.ts'
import type { ProviderSignIn } from './sign-in.ts'

export interface OidcSettingsDeps {
  config(): Config
  providers: ProviderSignIn
  identities: Pick<IdentityService, 'changeCredentials'>
}

export function oidcSettings(d: OidcSettingsDeps): SettingsMethod {
  const codes = () => d.config().selfservice.methods.code
  return {
    id: OIDC,
    async form({ account }) {
      if (!d.providers.enabled()) return NO_PART
      const identity = await account()
      const linked = new Set(linkedOf(identity.credentials).map(({ provider }) => provider))
      const offered = d.providers.offered()
      const link = offered
        .filter(({ id }) => !linked.has(id))
        .map((one) => submitNode('oidc', one.id, linkTo(one), 'link'))
      // Owners must not lock themselves out.
      const removable = firstFactors(identity, codes()) > 1 ? offered.filter(({ id }) => linked.has(id)) : []
      return { nodes: [...link, ...removable.map((one) => submitNode('oidc', one.id, unlinkFrom(one), 'unlink'))] }
    },
    takes: (form) => namesProvider(form, 'link') || namesProvider(form, 'unlink'),
    async change({ flow, form, identity, account, requirePrivilege }) {
      if (!d.providers.enabled()) throw methodDisabled()
      const [link, unlink] = [fieldText(form, 'link'), fieldText(form, 'unlink')]
      if (link !== '' && unlink !== '') {
        throw badRequest('it is not possible to link and unlink providers in the same request')
      }
      requirePrivilege()
      if (unlink !== '') {
        assertMayUnlink(await account(), unlink, codes())
        return {
          kind: 'change',
          needsPrivilege: () => true,
          write: (tx) =>
            d.identities.changeCredentials(
              identity.id,
              (now) => {
                assertMayUnlink(now, unlink, codes())
                return withLinked(
                  now.credentials,
                  linkedOf(now.credentials).filter(({ provider }) => provider !== unlink),
                )
              },
              tx,
            ),
        }
      }
      const provider = d.providers.offered().find(({ id }) => id === link)
      if (!provider || linkedOf((await account()).credentials).some((one) => one.provider === link)) throw cannotLink()
      return d.providers.leave({
        kind: 'settings',
        provider,
        flow,
        refresh: false,
        form,
        traits: {},
        initCode: undefined,
        payload: transientPayload(form),
      })
    },
    waiting: (form) => {
      const [link, unlink] = [fieldText(form, 'link'), fieldText(form, 'unlink')]
      return { ...(link === '' ? {} : { link }), ...(unlink === '' ? {} : { unlink }) }
    },
  }
}

export const cannotLink = () => badRequest('can not link unknown or already existing OpenID Connect connection')

/** @throws HttpError 400, 404 */
function assertMayUnlink(identity: FullIdentity, provider: string, codes: CodeUse): void {
  if (!identity.credentials.some(({ type }) => type === OIDC))
    throw notFound('identity does not have credential type oidc')
  const linked = linkedOf(identity.credentials)
  const gone = linked.filter((one) => one.provider === provider).length
  if (gone === 0) throw badRequest('can not unlink non-existing OpenID Connect connection')
  if (firstFactors(identity, codes) <= gone) {
    throw badRequest(
      'can not unlink OpenID Connect connection because it is the last remaining first factor credential',
    )
  }
}

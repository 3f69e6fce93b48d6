import type { Config } from '../config/schema/schema.ts'
import { resolveReturnTo } from '../kernel/http/return-to.ts'
import { createLogoutFlow } from '../logout/flow.ts'
import type { Base } from './environment.ts'
import type { Sessions } from './sessions.ts'
import { selfServiceUrl } from './web.ts'

export function composeLogout({ config, baseUrls }: Base, { sessions }: Pick<Sessions, 'sessions'>) {
  const logout = createLogoutFlow({
    sessions,
    resolveReturnTo: (requested) => resolveReturnTo(requested, afterLogout(config(), baseUrls.public())),
    deadSessionSucceeds: () => config().lethe.logout.dead_session === 'succeed',
    logoutUrl: (token, returnTo) =>
      selfServiceUrl(baseUrls.public(), 'logout', {
        ...(returnTo === undefined ? {} : { return_to: returnTo }),
        token,
      }),
  })
  return { logout }
}

function afterLogout({ selfservice }: Config, publicBase: string) {
  const fallback = selfservice.flows.logout.after.default_browser_return_url ?? selfservice.default_browser_return_url
  return { allowed: selfservice.allowed_return_urls, publicBaseUrl: publicBase, fallback }
}

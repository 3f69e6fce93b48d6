import { createBodies } from '../flows/hooks/body.ts'
import { createHooks } from '../flows/hooks/hooks.ts'
import type { FlowUrls } from '../flows/urls.ts'
import type { BackgroundWork } from '../kernel/background/loop.ts'
import { exchange } from '../kernel/outbound/client.ts'
import { createConnections } from '../kernel/outbound/connections.ts'
import { addressRules } from '../kernel/outbound/guard.ts'
import { loadOptions, loadText } from '../kernel/outbound/load.ts'
import type { Base } from './environment.ts'

/** The web hooks of all flows. */
export function composeHooks({ config, random, log }: Base, urls: Pick<FlowUrls, 'request'>) {
  const connections = createConnections()
  const hooks = createHooks({
    config,
    random,
    log,
    bodyOf: createBodies({
      // A request waits for it, so there is one try.
      load: (url) => loadText(url, { ...loadOptions(config(), '.'), tries: 1 }),
      requestUrl: urls.request,
    }),
    exchange: (request, rules) => exchange(request, rules, connections),
    rules: () => addressRules(config()),
  })
  const hookCalls: BackgroundWork = {
    start() {},
    async stop() {
      await hooks.drain()
      connections.close()
    },
  }
  return { hooks, hookCalls }
}

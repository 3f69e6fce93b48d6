import type { Oauth2 } from '../../oauth2/service.ts'
import type { SessionService } from '../../sessions/service.ts'
import { messages } from '../messages.ts'
import { csrfNode } from '../nodes.ts'
import type { Caller, ShownNode, Ui } from '../types.ts'
import type { BeginVerificationDeps } from './begin.ts'
import type { VerificationFlow } from './types.ts'

export interface GoOnDeps extends Pick<BeginVerificationDeps, 'store'> {
  sessions: Pick<SessionService, 'resolve'>
  oauth2: Pick<Oauth2, 'accept'>
}

/**
 * Tells the waiting OAuth2 server who has signed in, if this browser holds the session that began with the flow.
 * @returns the flow, whose form now leads there, and the address; nothing if no server waits, or the session is another one
 * @throws HttpError 500 where the server cannot be told
 */
export async function goOnTo(d: GoOnDeps, flow: VerificationFlow, caller: Pick<Caller, 'credentials'>) {
  if (flow.login_challenge === null) return undefined
  const session = (await d.sessions.resolve(caller.credentials))?.session
  if (!session || session.id !== flow.session_id) return undefined
  const to = await d.oauth2.accept(flow.login_challenge, { identityId: session.identity_id, session })
  const nodes = flow.ui.nodes.map((node) => (node.type === 'a' ? continueNode(node.group, to) : node))
  const led: VerificationFlow = { ...flow, ui: { ...flow.ui, action: to, nodes } }
  await d.store.saveScreen(led)
  return { flow: led, to }
}

/** The form has become a link to continue. */
export function finishedScreen(d: BeginVerificationDeps, flow: VerificationFlow, csrfToken: string): Ui {
  const href = continueUrl(d, flow)
  return {
    action: href,
    method: 'GET',
    nodes: [csrfNode(csrfToken), continueNode(flow.active_method, href)],
    messages: [messages.verified],
  }
}

function continueNode(group: string, href: string): ShownNode {
  const { id, text, type } = messages.continue
  return {
    type: 'a',
    group,
    attributes: { href, title: { id, text, type }, id: 'continue', node_type: 'a' },
    messages: [],
    meta: { label: messages.continue },
  }
}

/**
 * The `return_to` of the flow, if it is allowed; nothing has checked it if the flow began unasked. If an OAuth2
 * server waits: the login that it asked for.
 */
function continueUrl(d: BeginVerificationDeps, flow: VerificationFlow): string {
  if (flow.login_challenge !== null) return d.urls.login({ login_challenge: flow.login_challenge })
  const { default_browser_return_url: after } = d.config().selfservice.flows.verification.after
  try {
    return d.urls.returnTo(flow.request_url, after)
  } catch {
    return d.urls.returnTo('', after)
  }
}

import { messages } from '../messages.ts'
import { csrfNode } from '../nodes.ts'
import type { ShownNode, Ui } from '../types.ts'
import type { BeginVerificationDeps } from './begin.ts'
import type { VerificationFlow } from './types.ts'

/** The form has become a way on. */
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

/** What the flow was begun with, if it may be gone to; nobody has judged it where the flow began by itself. */
function continueUrl(d: BeginVerificationDeps, flow: VerificationFlow): string {
  const { default_browser_return_url: after } = d.config().selfservice.flows.verification.after
  try {
    return d.urls.returnTo(flow.request_url, after)
  } catch {
    return d.urls.returnTo('', after)
  }
}

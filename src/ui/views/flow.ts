import { type Flow, isInput } from '../../flows/types.ts'
import { requestedReturnTo } from '../../flows/urls.ts'
import { html, type Markup } from '../html.ts'
import type { Page, View } from '../layout.ts'
import { beginLink } from '../links.ts'
import { hasErrors, renderForm } from '../nodes.ts'
import { scriptSource } from '../shown.ts'

export interface LoginLike extends Flow {
  refresh: boolean
  requested_aal: string
}

/** @param registration whether new accounts can be created */
export function loginPage(flow: LoginLike, { t, root }: View, registration: boolean): Page {
  const form = renderForm(flow.ui, t)
  const empty = !flow.ui.nodes.some((node) => isInput(node) && node.attributes.type === 'submit')
  const aside = flow.refresh || flow.requested_aal === 'aal2' ? signOutAside() : registration && registrationAside()
  const purpose = flow.requested_aal === 'aal2' ? 'secondFactor' : flow.refresh ? 'refresh' : 'login'
  const none = purpose === 'secondFactor' ? 'secondFactor.none' : 'login.none'
  return page(t.get(`${purpose}.title`), flow, html`${form}${empty && html`<p>${t.get(none)}</p>`}${aside}`)

  function registrationAside(): Markup {
    const link = beginLink(root, 'registration', requestedReturnTo(flow.request_url))
    return html`<p class="aside">${t.get('login.toRegistration')} <a href="${link}">${t.get('login.toRegistration.link')}</a></p>`
  }

  function signOutAside(): Markup {
    return html`<p class="aside">${t.get('refresh.other')} <a href="${root}/logout">${t.get('refresh.other.link')}</a></p>`
  }
}

export function registrationPage(flow: Flow, { t, root }: View): Page {
  const secondScreen = flow.ui.nodes.some((node) => isInput(node) && node.attributes.name === 'screen')
  const link = beginLink(root, 'login', requestedReturnTo(flow.request_url))
  return page(
    t.get(secondScreen ? 'registration.credential.title' : 'registration.title'),
    flow,
    html`${renderForm(flow.ui, t)}
<p class="aside">${t.get('registration.toLogin')} <a href="${link}">${t.get('registration.toLogin.link')}</a></p>`,
  )
}

export function settingsPage(flow: Flow, { t, root }: View): Page {
  const heading = (group: string) => t.firstOf([`settings.${group}.title`])
  return page(
    t.get('settings.title'),
    flow,
    html`${renderForm(flow.ui, t, { perGroup: true, heading })}
<p class="aside"><a href="${root}/ui/welcome">${t.get('settings.back')}</a></p>`,
  )
}

function page(title: string, { ui }: Flow, content: Markup): Page {
  return { title, script: scriptSource(ui.nodes), alert: hasErrors(ui), body: html`<h1>${title}</h1>\n${content}` }
}

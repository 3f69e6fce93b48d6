import { type Flow, isInput } from '../../flows/types.ts'
import { offerNewCodes } from '../few-codes.ts'
import { html, type Markup } from '../html.ts'
import type { Page, View } from '../layout.ts'
import { beginInstead } from '../links.ts'
import { hasErrors, isProvider, renderForm } from '../nodes.ts'
import { askPasskeyName } from '../passkey-name.ts'
import { scriptSource } from '../shown.ts'
import { type Ended, endedNote } from './ended.ts'

/** Id of a message. */
const GO_ON_WITH_PROVIDER = 1040003

export interface LoginLike extends Flow {
  refresh: boolean
  requested_aal: string
}

/** @param given links for people who cannot sign in, and how they were signed out if that is known */
export function loginPage(
  flow: LoginLike,
  { t, root }: View,
  given: { registration: boolean; recovery: boolean; ended: Ended | undefined },
): Page {
  const form = renderForm(flow.ui, t, { alternatives: flow.requested_aal === 'aal2' })
  const empty = !flow.ui.nodes.some((node) => isInput(node) && ['submit', 'button'].includes(node.attributes.type))
  const isFirst = !flow.refresh && flow.requested_aal !== 'aal2'
  const aside = isFirst
    ? html`${given.recovery && linkTo('recovery')}${given.registration && linkTo('registration')}`
    : signOutAside()
  const purpose = flow.requested_aal === 'aal2' ? 'secondFactor' : flow.refresh ? 'refresh' : 'login'
  const none = purpose === 'secondFactor' ? 'secondFactor.none' : 'login.none'
  const note = given.ended && endedNote(given.ended, t)
  return page(t.get(`${purpose}.title`), flow, html`${note}${form}${empty && html`<p>${t.get(none)}</p>`}${aside}`)

  function linkTo(kind: 'registration' | 'recovery'): Markup {
    const link = beginInstead(root, kind, flow)
    const name = kind === 'recovery' ? 'login.toRecovery' : 'login.toRegistration'
    return html`<p class="aside">${t.get(name)} <a href="${link}">${t.get(`${name}.link`)}</a></p>`
  }

  function signOutAside(): Markup {
    return html`<p class="aside">${t.get('refresh.other')} <a href="${root}/logout">${t.get('refresh.other.link')}</a></p>`
  }
}

export function registrationPage(flow: Flow, { t, root }: View): Page {
  const secondScreen = flow.ui.nodes.some((node) => isInput(node) && node.attributes.name === 'screen')
  const link = beginInstead(root, 'login', flow)
  // Who comes back from a provider has no other way in the form, also after they have cancelled there.
  const isLeft = flow.ui.nodes.some((node) => isInput(node) && node.meta.label?.id === GO_ON_WITH_PROVIDER)
  return page(
    t.get(secondScreen ? 'registration.credential.title' : 'registration.title'),
    flow,
    html`${renderForm(flow.ui, t)}
${isLeft && html`<p class="aside">${t.get('registration.others')} <a href="${beginInstead(root, 'registration', flow)}">${t.get('registration.others.link')}</a></p>`}
<p class="aside">${t.get('registration.toLogin')} <a href="${link}">${t.get('registration.toLogin.link')}</a></p>`,
  )
}

export function recoveryPage(flow: Flow, { t, root }: View): Page {
  const link = beginInstead(root, 'login', flow)
  return page(
    t.get('recovery.title'),
    flow,
    html`${renderForm(flow.ui, t)}
<p class="aside">${t.get('recovery.toLogin')} <a href="${link}">${t.get('recovery.toLogin.link')}</a></p>`,
  )
}

export function verificationPage(flow: Flow, { t, root }: View): Page {
  return page(
    t.get('verification.title'),
    flow,
    html`${renderForm(flow.ui, t)}
<p class="aside"><a href="${root}/ui/welcome">${t.get('settings.back')}</a></p>`,
  )
}

export interface OwnSettings {
  /** types of the owner's credentials that are enough to sign in */
  signIn: readonly string[]
  /** keys that the owner does not have any more, for the script to tell the device */
  removed: readonly object[]
  /** the name of this device */
  device: string
}

export function settingsPage(flow: Flow, { t, root }: View, own: OwnSettings): Page {
  const ui = askPasskeyName(offerNewCodes(flow.ui, t), t, own.device)
  const heading = (group: string) => t.firstOf([`settings.${group}.title`])
  return page(
    t.get('settings.title'),
    flow,
    html`${renderForm(ui, t, { perGroup: true, heading, signIn: own.signIn })}
${own.removed.length > 0 && html`<span hidden data-removed-keys="${JSON.stringify(own.removed)}"></span>`}
<p class="aside"><a href="${root}/ui/welcome">${t.get('settings.back')}</a></p>`,
  )
}

function page(title: string, { ui }: Flow, content: Markup): Page {
  const leavesServer = ui.nodes.some((node) => isInput(node) && isProvider(node))
  return {
    title,
    leavesServer,
    script: scriptSource(ui.nodes),
    alert: hasErrors(ui),
    body: html`<h1>${title}</h1>\n${content}`,
  }
}

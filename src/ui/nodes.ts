import { info } from '../flows/messages.ts'
import { type InputNode, isInput, type ShownNode, type Ui, type UiMessage } from '../flows/types.ts'
import type { Json } from '../identities/types.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { attributes, html, type Markup } from './html.ts'
import { confirmRemoval, takesAway } from './removal.ts'
import { renderScript, renderShown } from './shown.ts'
import type { Texts } from './texts.ts'

export interface FormLook {
  /** a form of its own, with its own button, for each group */
  perGroup?: boolean
  /** the same, of forms that are alternatives: the first field gets the focus */
  alternatives?: boolean
  /** heading of a group's form */
  heading?(group: string): string | undefined
  /** types of the owner's credentials that are enough to sign in */
  signIn?: readonly string[]
}

/** Whether the form has an error to correct. */
export const hasErrors = (ui: Ui) =>
  [...(ui.messages ?? []), ...ui.nodes.flatMap((node) => node.messages)].some(({ type }) => type === 'error')

/** Ids of messages. @see kratos/messages.md */
const RESEND_CODE = 1070008
/** Of a button of this page alone. */
const RESEND_LINK = -1
const SENT = new Set([1060002, 1060003, 1060004, 1080001, 1080003, 1010014, 1040005])

/** A field for a pasted code; browsers offer one from an SMS, and telephones a number pad. */
const CODE_FIELD = { type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', spellcheck: 'false' }
/** Telephones begin a field with a capital letter, and correct what is no word. */
const AS_TYPED = { autocapitalize: 'none', spellcheck: 'false' }

/** What browsers and password managers should know of fields, where Kratos does not say it: they would have to guess. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  identifier: { autocomplete: 'username', ...AS_TYPED },
  recovery_address: { autocomplete: 'username', ...AS_TYPED },
  code: CODE_FIELD,
  totp_code: CODE_FIELD,
  lookup_secret: { autocomplete: 'off', ...AS_TYPED },
  // names of keys, not of people
  webauthn_register_displayname: { autocomplete: 'off' },
  passkey_settings_register_displayname: { autocomplete: 'off' },
}

/** Any flow as a form. Only keys need a script. */
export function renderForm(ui: Ui, t: Texts, look: FormLook = {}): Markup {
  const nodes = ui.nodes.filter(isInput).map((node) => (isFresh(ui) ? asResend(node, t) : node))
  const split = look.perGroup ?? look.alternatives ?? false
  const focus = focused(ui, nodes, split && !look.alternatives)
  const forms = groupsOf(nodes, split).map(({ name, members }) => {
    const shown = ui.nodes.filter(
      (node): node is ShownNode => !isInput(node) && (name === 'form' || node.group === name),
    )
    const heading = look.heading?.(name)
    return html`${heading && html`<h2>${heading}</h2>`}
<form method="post" action="${ui.action}" accept-charset="utf-8">
${shown.map((node) => renderShown(node, t))}
${members.map((node) => renderNode(node, `${name}-${nodes.indexOf(node)}`, t, { focus: node === focus, split }))}
<div class="stack">${buttonsOf(members).map((node, at) => button(node, placeOf(node, at, members)))}</div>
</form>`
  })
  function button(node: InputNode, place: Place): Markup {
    const shown = renderButton(node, place, t, isFresh(ui))
    return takesAway(node) ? confirmRemoval(node, shown, t, { signIn: look.signIn ?? [], nodes: ui.nodes }) : shown
  }
  // Where nothing is left to send, e.g. once an address is proved, there is still a way on.
  const onward = forms.length === 0 && ui.nodes.filter((node) => !isInput(node)).map((node) => renderShown(node, t))
  return html`${renderMessages(formMessages(ui, nodes), t)}${forms}${onward}${renderScript(ui.nodes)}`
}

/** Messages about a page as a whole. */
export function renderMessages(messages: readonly UiMessage[], t: Texts): Markup[] {
  return messages.map(
    (message) =>
      html`<div class="box ${message.type}" role="${message.type === 'error' ? 'alert' : 'status'}"><p>${t.message(message)}</p></div>\n`,
  )
}

interface Group {
  name: string
  members: InputNode[]
}

/**
 * Inputs of the group `default` belong to every form. What takes something away has a form of its own, so that the Enter
 * key in a field beside it does not press it.
 */
function groupsOf(nodes: readonly InputNode[], split: boolean): Group[] {
  const names = [...new Set(nodes.map(({ group }) => group))].filter((name) => name !== 'default')
  if (!split) return nodes.some(isButton) ? [{ name: 'form', members: [...nodes] }] : []
  return names.flatMap((name) => {
    const own = nodes.filter(({ group }) => group === 'default' || group === name)
    const removals = own.filter(takesAway)
    const rest = own.filter((node) => !takesAway(node))
    if (removals.length === 0 || !rest.some((node) => node.group === name)) return [{ name, members: own }]
    return [
      { name, members: rest },
      { name: `${name}-remove`, members: [...own.filter(({ group }) => group === 'default'), ...removals] },
    ]
  })
}

/** Messages of hidden inputs are shown above the form: they could not be seen otherwise. */
function formMessages(ui: Ui, nodes: readonly InputNode[]): UiMessage[] {
  return [...(ui.messages ?? []), ...nodes.filter((node) => !isSeen(node)).flatMap((node) => node.messages)]
}

const isButton = ({ attributes }: InputNode) => attributes.type === 'submit' || attributes.type === 'button'

/**
 * A value from an earlier screen that names the account: password managers take it from a visible input
 * only, and people see which account they are about to open.
 */
function isFixed({ attributes: { type, name, autocomplete = '', value } }: InputNode): boolean {
  const namesAccount = name === 'identifier' || ['email', 'username', 'tel'].includes(autocomplete)
  return type === 'hidden' && namesAccount && typeof value === 'string' && value !== ''
}

/** An input that exists only to carry a message, e.g. a bare text `password`: showing it would invite typing. */
const carriesMessageOnly = ({ group, attributes: { type, name }, meta }: InputNode) =>
  group === 'default' && type === 'text' && meta.label === undefined && !name.startsWith('traits.')

const isSeen = (node: InputNode) =>
  !isButton(node) && !carriesMessageOnly(node) && (node.attributes.type !== 'hidden' || isFixed(node))

interface Look {
  focus: boolean
  /** one of several forms: the account is named in none of them */
  split: boolean
}

function renderNode(node: InputNode, id: string, t: Texts, { focus, split }: Look): Markup | undefined {
  if (isButton(node) || carriesMessageOnly(node)) return undefined
  const { name, type, value } = node.attributes
  if (!isSeen(node) || (split && isFixed(node))) {
    const given = { type: 'hidden', name, value: valueText(value), 'data-trigger': node.attributes.onloadTrigger }
    return html`<input${attributes(given)}>\n`
  }
  const hints = node.messages.map((message, at) => ({ id: `${id}-m${at}`, message }))
  const common = {
    id,
    name,
    required: node.attributes.required,
    disabled: node.attributes.disabled,
    autofocus: focus,
    'aria-invalid': node.messages.some((message) => message.type === 'error') ? 'true' : undefined,
    'aria-describedby': hints.map((hint) => hint.id).join(' ') || undefined,
  }
  const label = html`<label for="${id}">${labelOf(node, t)}</label>`
  const shown = hints.map(
    ({ id, message }) => html`<p class="hint ${message.type}" id="${id}">${t.message(message)}</p>`,
  )
  if (type === 'checkbox') {
    // Unchecked boxes are not sent at all, so a hidden field before it says no. `required` would mean that it must be checked.
    const checked = value === true || value === 'true'
    const box = attributes({ type, ...common, required: false, value: 'true', checked })
    const no = html`<input type="hidden" name="${name}" value="false">`
    return html`<div class="field">${no}<div class="check"><input${box}>${label}</div>${shown}</div>\n`
  }
  return html`<div class="field">${label}<input${attributes({ ...inputOf(node), ...common })}>${shown}</div>\n`
}

function inputOf(node: InputNode) {
  const { type, name, value, autocomplete } = node.attributes
  return {
    type: isFixed(node) ? 'text' : type,
    value: type === 'password' ? undefined : valueText(value),
    readonly: isFixed(node),
    ...(Object.hasOwn(FIELDS, name) ? FIELDS[name] : {}),
    // the person's own address; a trait may be that of another one
    ...(['email', 'tel'].includes(type) && !name.startsWith('traits.') ? { autocomplete: type } : {}),
    // `username webauthn`: browsers offer passkeys in the field
    ...(autocomplete === undefined ? {} : { autocomplete }),
    ...(type === 'number' ? { step: 'any' } : {}),
  }
}

/**
 * The submit button comes first: the Enter key presses the first one. Buttons without an input of their own, e.g. the one that
 * sends a code, come after those that have one: Enter in a password field must not send a code.
 */
function buttonsOf(members: readonly InputNode[]): InputNode[] {
  const rank = (node: InputNode) =>
    isResend(node) ? 2 : members.some((one) => isSeen(one) && one.group === node.group) ? 0 : 1
  return members.filter(isButton).toSorted((a, b) => rank(a) - rank(b))
}

/** Whether another way to sign in, in the same form, requires an input that this button does not need. */
const asksForOthers = (button: InputNode, members: readonly InputNode[]) =>
  members.some((node) => node.attributes.required && isSeen(node) && ![button.group, 'default'].includes(node.group))

/** Leads to another server, which asks for nothing of this form. */
export const isProvider = ({ attributes: { name } }: InputNode) => ['provider', 'link', 'unlink'].includes(name)

/** Requests another code, and leaves the field for one empty. */
const isResendOfCode = ({ meta }: InputNode) => meta.label?.id === RESEND_CODE
const isResend = (node: InputNode) => isResendOfCode(node) || node.meta.label?.id === RESEND_LINK

/** After a link was sent its form is the same as before, and "Continue" sends another one. */
const asResend = (node: InputNode, t: Texts): InputNode =>
  node.group === 'link' && isButton(node)
    ? { ...node, meta: { ...node.meta, label: info(RESEND_LINK, t.get('link.again')) } }
    : node

/** Whether a code or link has just been sent: people who press the button again too soon get a second one, and use the first. */
const isFresh = ({ messages = [] }: Ui) => messages.some(({ id }) => SENT.has(id))

interface Place {
  main: boolean
  /** the Enter key presses it */
  onEnter: boolean
  /** the form is not checked before */
  free: boolean
}

const placeOf = (node: InputNode, at: number, members: readonly InputNode[]): Place => ({
  main: at === 0 && !takesAway(node),
  onEnter: !members.some(({ attributes }) => attributes.type === 'submit'),
  free: asksForOthers(node, members),
})

/** @param isNew disables asking again for a moment */
function renderButton(node: InputNode, place: Place, t: Texts, isNew: boolean): Markup {
  const { name, type, value, disabled, onclickTrigger } = node.attributes
  const given = attributes({
    type: type === 'button' && !place.onEnter ? 'button' : 'submit',
    name,
    value: valueText(value),
    disabled,
    'data-trigger': onclickTrigger,
    class:
      [place.main && 'main', takesAway(node) && 'danger', isNew && isResend(node) && 'later']
        .filter(Boolean)
        .join(' ') || undefined,
    // Going back, or elsewhere, must not require the page to be filled in.
    formnovalidate: name === 'screen' || isResendOfCode(node) || isProvider(node) || place.free,
  })
  const button = html`<button${given}>${node.meta.label ? t.message(node.meta.label) : valueText(value)}</button>`
  return isNew && isResend(node) ? html`<p class="hint">${t.get('code.wait')}</p>${button}` : button
}

/** The input to focus: the first with an error, else the first empty one, unless it may belong to another form. */
function focused(ui: Ui, nodes: readonly InputNode[], several: boolean): InputNode | undefined {
  const inputs = nodes.filter((node) => isSeen(node) && !isFixed(node))
  const wrong = inputs.find(({ messages }) => messages.some(({ type }) => type === 'error'))
  const empty = inputs.find(({ attributes }) => valueText(attributes.value) === '')
  const quiet = several || ui.messages?.some(({ type }) => type !== 'info')
  return wrong ?? (quiet ? undefined : empty)
}

/** The label, or one made of the name: `traits.name.first` is "Name first". */
function labelOf({ attributes: { name }, meta }: InputNode, t: Texts): string {
  if (meta.label) return t.message(meta.label)
  const words = name
    .replace(/^traits\./, '')
    .replace(/[._-]+/g, ' ')
    .trim()
  return words === '' ? t.get('form.field') : words[0]!.toUpperCase() + words.slice(1)
}

function valueText(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? stringifyJson(value) : String(value)
}

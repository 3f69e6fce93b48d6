import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InputAttributes, Ui, UiMessage, UiNode } from '../../../src/flows/types.ts'
import { hasErrors, renderForm } from '../../../src/ui/nodes.ts'
import { createTexts } from '../../../src/ui/texts.ts'

const t = createTexts({})
const error: UiMessage = { id: 4999999, type: 'error', text: 'is odd' }

function node(
  name: string,
  type: string,
  more: Partial<InputAttributes> & { group?: string; messages?: UiMessage[]; label?: string } = {},
): UiNode {
  const { group = 'default', messages = [], label, ...attributes } = more
  const meta = label === undefined ? {} : { label: { id: 1, text: label, type: 'info' as const } }
  return {
    type: 'input',
    group,
    attributes: { name, type, disabled: false, node_type: 'input', ...attributes },
    messages,
    meta,
  }
}

const submit = (value: string, group = 'default', name = 'method') =>
  node(name, 'submit', { value, group, label: value })
const ui = (...nodes: UiNode[]): Ui => ({ action: 'https://a.example/?x=1&y=2', method: 'POST', nodes })
const render = (...nodes: UiNode[]) => renderForm(ui(...nodes), t).text

describe('an input', () => {
  it('has a label, and is tied to its messages', () => {
    const text = render(
      node('traits.email', 'email', { label: 'E-Mail', required: true, messages: [error] }),
      submit('go'),
    )
    const id = /<label for="([^"]+)">E-Mail<\/label>/.exec(text)?.[1]
    assert.ok(id)
    const input = new RegExp(`<input type="email"[^>]*id="${id}"[^>]*>`).exec(text)?.[0] ?? ''
    for (const part of [
      'name="traits.email"',
      'required',
      'aria-invalid="true"',
      `aria-describedby="${id}-m0"`,
      'autofocus',
    ]) {
      assert.ok(input.includes(part), part)
    }
    assert.ok(text.includes(`<p class="hint error" id="${id}-m0">is odd</p>`))
  })

  it('without a title is named after its trait', () => {
    assert.match(render(node('traits.name.first_name', 'text'), submit('go')), /<label[^>]*>Name first name<\/label>/)
  })

  it('says what browsers, password managers and telephones should know of it', () => {
    const said = (name: string, type = 'text', more: Parameters<typeof node>[2] = {}) =>
      / (?:inputmode|autocomplete|autocapitalize|spellcheck)=.*(?= id=)/.exec(
        render(node(name, type, more), submit('go')),
      )?.[0]
    const asTyped = 'autocapitalize="none" spellcheck="false"'
    const code = ' inputmode="numeric" autocomplete="one-time-code" spellcheck="false"'
    assert.equal(said('identifier', 'text', { label: 'x' }), ` autocomplete="username" ${asTyped}`)
    // without the word a browser offers no passkeys
    const both = { label: 'x', autocomplete: 'username webauthn' }
    assert.equal(said('identifier', 'text', both), ` autocomplete="username webauthn" ${asTyped}`)
    for (const name of ['code', 'totp_code']) assert.equal(said(name, 'text', { label: 'x' }), code)
    assert.equal(said('lookup_secret', 'text', { label: 'x' }), ` autocomplete="off" ${asTyped}`)
    assert.equal(said('email', 'email'), ' autocomplete="email"')
    assert.equal(said('recovery_confirm_address', 'tel'), ' autocomplete="tel"')
    assert.equal(said('traits.friend', 'email'), undefined)
  })

  it('of a password never has a value', () => {
    assert.doesNotMatch(
      render(node('password', 'password', { value: 'geheim', group: 'password' }), submit('go')),
      /geheim/,
    )
  })

  it('that can be checked says no when it is not, and need not be checked', () => {
    const off = render(node('traits.news', 'checkbox', { required: true, value: false }), submit('go'))
    assert.match(
      off,
      /<input type="hidden" name="traits.news" value="false"><div class="check"><input type="checkbox"[^>]*>/,
    )
    assert.doesNotMatch(off, /required|checked/)
    assert.match(render(node('traits.news', 'checkbox', { value: true }), submit('go')), / value="true" checked>/)
  })

  it('that names the account is shown, also where it is only carried along', () => {
    const text = render(node('traits.email', 'hidden', { value: 'a@b.example', autocomplete: 'email' }), submit('go'))
    assert.match(text, /<input type="text" value="a@b.example" readonly autocomplete="email"/)
    assert.match(
      render(node('identifier', 'hidden', { value: 'ann' }), submit('go')),
      / readonly autocomplete="username"/,
    )
    assert.match(
      render(node('csrf_token', 'hidden', { value: 'x' }), submit('go')),
      /<input type="hidden" name="csrf_token" value="x">/,
    )
  })
})

describe('a message', () => {
  it('about what is not seen stands above the form, and no input with it', () => {
    const carried = node('traits.name', 'hidden', { value: 'x', messages: [error] })
    const bare = node('password', 'text', { messages: [error] })
    const text = render(carried, bare, submit('go'))
    assert.equal(text.match(/role="alert"><p>is odd<\/p>/g)?.length, 2)
    assert.doesNotMatch(text, /name="password"/)
    assert.ok(text.indexOf('is odd') < text.indexOf('<form'))
  })

  it('of another kind is no alarm', () => {
    const told = { ...ui(submit('go')), messages: [{ ...error, type: 'success' as const }] }
    assert.match(renderForm(told, t).text, /<div class="box success" role="status">/)
    assert.deepEqual([hasErrors(told), hasErrors(ui(node('x', 'text', { messages: [error] })))], [false, true])
  })
})

describe('a form', () => {
  it('has the first button for its main one, and lets people go back without filling it in', () => {
    const text = render(submit('password', 'password'), submit('previous', 'profile', 'screen'))
    const buttons = text.match(/<button[^>]*>/g)
    assert.deepEqual(buttons, [
      '<button type="submit" name="method" value="password" class="main">',
      '<button type="submit" name="screen" value="previous" formnovalidate>',
    ])
    assert.ok(text.includes('action="https://a.example/?x=1&amp;y=2"'))
  })

  it('from which a link was sent says that another one is sent, after a while', () => {
    const nodes = [node('email', 'email', { group: 'link', value: 'a@b.example' }), submit('link', 'link')]
    assert.doesNotMatch(render(...nodes), /Send another link/)
    const sent = { ...ui(...nodes), messages: [{ id: 1080001, type: 'info' as const, text: 'sent' }] }
    assert.match(renderForm(sent, t).text, /value="a@b.example"[\s\S]*class="main later">Send another link</)
  })

  it('can be one for each group, each with the token', () => {
    const nodes = [node('csrf_token', 'hidden', { value: 'x' }), submit('a', 'profile'), submit('b', 'password')]
    const text = renderForm(ui(...nodes), t, { perGroup: true, heading: (group) => group.toUpperCase() }).text
    assert.equal(text.match(/<form /g)?.length, 2)
    assert.equal(text.match(/name="csrf_token"/g)?.length, 2)
    assert.match(text, /<h2>PROFILE<\/h2>[\s\S]*value="a"[\s\S]*<h2>PASSWORD<\/h2>[\s\S]*value="b"/)
  })

  it('is none without a button, and leaves out what is no input', () => {
    assert.doesNotMatch(render(node('csrf_token', 'hidden', { value: 'x' })), /<form/)
    const picture = {
      ...node('x', 'img'),
      attributes: { node_type: 'img', src: 'https://a.example/' },
    } as unknown as UiNode
    assert.doesNotMatch(render(picture, submit('go')), /img|src/)
  })
})

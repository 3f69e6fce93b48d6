import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { composeForm } from '../../../src/flows/engine/compose.ts'
import { nameOf, sortNodes } from '../../../src/flows/engine/order.ts'
import { messages } from '../../../src/flows/messages.ts'
import { cleared, csrfNode, inputNode, passwordNode, submitNode, withProblems } from '../../../src/flows/nodes.ts'
import type { Ui, UiNode } from '../../../src/flows/types.ts'

const order = { groups: ['oidc', 'default', 'code', 'password'], names: ['csrf_token', 'identifier', 'password'] }
const names = (nodes: readonly UiNode[]) => nodes.map((node) => `${node.group}/${nameOf(node)}`)
const provider = (id: string) => submitNode('oidc', id, messages.signIn, 'provider')

test('a form does not grow with every submit by inputs of which a client chooses the names', () => {
  let ui: Ui = { action: '', method: 'POST', nodes: [csrfNode('t')] }
  for (let submit = 0; submit < 30; submit += 1) {
    const problems = Array.from({ length: 50 }, (_, at) => ({
      path: `traits.phones.${submit * 50 + at}`,
      message: messages.signIn,
    }))
    ui = withProblems(cleared(ui, new Map()), problems)
  }
  assert.ok(ui.nodes.length <= 500, `${ui.nodes.length}`)
  assert.equal(ui.messages?.length, 50)
})

describe('the order of nodes', () => {
  const password = [passwordNode('current-password'), submitNode('password', 'password', messages.signIn)]
  const identifier = inputNode('default', 'identifier', 'text')

  test('groups in their order, names within them, buttons last', () => {
    const code = submitNode('code', 'code', messages.signIn)
    assert.deepEqual(names(sortNodes([...password.toReversed(), code, identifier, csrfNode('t')], order)), [
      'default/csrf_token',
      'default/identifier',
      'code/method',
      'password/password',
      'password/method',
    ])
  })
  test('a group that is not listed comes first', () => {
    const first = inputNode('identifier_first', 'identifier', 'text')
    assert.deepEqual(names(sortNodes([csrfNode('t'), first], order)), [
      'identifier_first/identifier',
      'default/csrf_token',
    ])
  })
  test('inputs of one name are sorted by value', () => {
    const sorted = sortNodes(['google', 'apple', 'github'].map(provider), order)
    assert.deepEqual(
      sorted.map((node) => node.attributes.value),
      ['apple', 'github', 'google'],
    )
  })
})

describe('a form of several methods', () => {
  test('shows an input of both once, with the attributes of both; buttons stay apart', () => {
    const { ui, context } = composeForm({ action: '/a', csrfToken: 't', order }, [
      { nodes: [inputNode('default', 'identifier', 'text', { value: '', required: true })], context: { a: 1 } },
      {
        nodes: [
          inputNode('default', 'identifier', 'text', { autocomplete: 'username webauthn' }),
          provider('a'),
          provider('b'),
        ],
        context: { b: 2 },
      },
    ])
    assert.deepEqual(names(ui.nodes), ['oidc/provider', 'oidc/provider', 'default/csrf_token', 'default/identifier'])
    const { required, autocomplete } = ui.nodes[3]!.attributes
    assert.deepEqual([required, autocomplete], [true, 'username webauthn'])
    assert.deepEqual(context, { a: 1, b: 2 })
  })
  test('is that of one method alone, in its own order, once that has made a step', () => {
    const code = { nodes: [provider('b'), provider('a')], context: { b: 2 }, state: 'sent_email' as const }
    const { ui, context, state } = composeForm({ action: '/a', csrfToken: 't', order }, [
      { nodes: [inputNode('default', 'identifier', 'text', { required: true })], context: { a: 1 } },
      code,
    ])
    assert.deepEqual(
      ui.nodes.map(({ attributes }) => attributes.value),
      ['b', 'a', 't'],
    )
    assert.deepEqual([context, state], [{ b: 2 }, 'sent_email'])
  })
})

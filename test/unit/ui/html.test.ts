import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attributes, escapeHtml, href, html } from '../../../src/ui/html.ts'
import fc from '../../helpers/fast-check.ts'

describe('html', () => {
  it('escapes what is put in, in text and in attributes', () => {
    const evil = `"><img src=x onerror='alert(1)'>&amp;`
    const escaped = '&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;amp;'
    assert.equal(html`<p title="${evil}">${evil}</p>`.text, `<p title="${escaped}">${escaped}</p>`)
    assert.equal(attributes({ value: evil }).text, ` value="${escaped}"`)
  })

  it('keeps markup of its own, prints lists and leaves nothing out but nothing', () => {
    assert.equal(
      html`<ul>${['a', 'b'].map((name) => html`<li>${name}</li>`)}</ul>`.text,
      '<ul><li>a</li><li>b</li></ul>',
    )
    assert.equal(html`${null}|${undefined}|${false}|${true}|${0}|${''}`.text, '||||0|')
    assert.equal(attributes({ required: true, disabled: false, id: undefined, min: 0 }).text, ' required min="0"')
  })

  it('does not take an object that looks like markup for markup', () => {
    const forged = JSON.parse('{"text":"<script>"}') as string
    assert.throws(() => html`${forged}`)
  })

  it('leaves no character that could end a text or an attribute', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[<>"']/.test(escapeHtml(text))))
  })
})

describe('href', () => {
  for (const url of [
    'javascript:alert(1)',
    ' JavaScript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'http://[',
    '\u0001javascript:x',
  ]) {
    it(`leads nowhere for ${JSON.stringify(url)}`, () => assert.equal(href(url), '#'))
  }
  for (const url of ['https://a.example/?q=1', '../logout', '', 'exp://localhost:8081/--/Callback']) {
    it(`keeps ${JSON.stringify(url)}`, () => assert.equal(href(url), url))
  }
})

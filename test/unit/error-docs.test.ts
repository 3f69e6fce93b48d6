import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { messages } from '../../src/flows/messages.ts'

const src = new URL('../../src/', import.meta.url)
const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(new URL(name, src), 'utf8') }))

const HINT = 'code and docs/errors.md differ: add or take out the row'

describe('docs/errors.md', () => {
  it('has every error id that the code answers, and no other', () => {
    const documented = [...section('Error ids').matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map((row) => row[1]!)
    assert.deepEqual([...documented].sort(), [...errorIds()].sort(), HINT)
  })

  it('has every message id that a form can show, and no other', () => {
    const used = files
      // Pages translate messages; what they have a text for is answered elsewhere.
      .filter(({ name }) => !name.startsWith('ui/'))
      // A million is a factor of times, no message.
      .flatMap(({ text }) => text.match(/\b(?!1000000\b)[145]0[0-8]0\d{3}\b/g) ?? [])
    assert.deepEqual(
      documentedMessages().map(({ id }) => String(id)),
      [...new Set(used)].sort(),
      HINT,
    )
  })

  it('has their types and texts', () => {
    const wanted = Object.values(messages).filter((message) => typeof message === 'object')
    const rows = new Map(documentedMessages().map((row) => [row.id, row]))
    for (const { id, type, text } of wanted) assert.deepEqual(rows.get(id), { id, type, text })
    for (const message of [messages.missing('x'), messages.expired('login', { at: '2026-01-01T00:00:00Z', since: 0 })])
      assert.match(message.text, new RegExp(`^${rows.get(message.id)?.text?.replace('…', '.+')}$`))
  })
})

function section(title: string): string {
  const found = docs.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  assert.ok(found, `no section ${title}`)
  return found
}

function documentedMessages() {
  const rows = section('Messages of forms').matchAll(/^\| (\d+) \| (\w+) \| (.*) \|$/gm)
  return [...rows].map(([, id, type, text]) => ({ id: Number(id), type, text }))
}

/** `id: 'word'` or `id: CONSTANT` wherever errors are made. */
function errorIds(): Set<string> {
  const ids = new Set<string>()
  for (const { text } of files.filter((file) =>
    /http\/errors\.ts'|from '\.\/errors\.ts'|class HttpError/.test(file.text),
  ))
    for (const [, word, constant] of text.matchAll(/\bid: (?:'([a-z]+(?:_[a-z0-9]+)+)'|([A-Z][A-Z0-9_]+)\b)/g)) {
      const found = word ?? new RegExp(`const ${constant} = '([a-z0-9_]+)'`).exec(text)?.[1]
      if (found !== undefined) ids.add(found)
    }
  assert.ok(ids.has('session_inactive') && ids.has('self_service_flow_expired'), 'the pattern finds ids no more')
  return ids
}

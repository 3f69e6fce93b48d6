import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { KINDS, type Kind } from '../../../src/courier/templates/kinds.ts'
import { sampleMessage } from '../../../src/courier/templates/samples.ts'
import { type Failure, MessageTemplateError } from '../../../src/courier/templates/templates.ts'
import type { Message } from '../../../src/courier/types.ts'
import { builtinTemplates, messageTemplates } from '../../helpers/message-templates.ts'

const RECOVERY = KINDS[0]!
const base64 = (text: string) => `base64://${Buffer.from(text).toString('base64')}`
const message = (kind: Kind, data: Message['data'] = {}): Message => {
  const sample = sampleMessage(kind, 'email')
  return { ...sample, data: { ...sample.data, ...data } }
}

describe('built-in texts', () => {
  for (const kind of KINDS)
    for (const channel of kind.channels)
      it(`${kind.type} by ${channel}: says what it is for, with its code or link, and no value is missing`, async () => {
        const templates = await builtinTemplates()
        const sample = sampleMessage(kind, channel)
        const { subject, body } = await templates.render(sample)
        const html = await templates.html(sample)
        for (const text of [subject, body, html ?? '']) assert.doesNotMatch(text, /no value|undefined|\{\{|ZgotmplZ/)
        assert.equal(subject === '', channel === 'sms')
        if (kind.outcome === 'invalid') {
          assert.doesNotMatch(body, /[0-9]{6}|https?:/)
          return
        }
        if (kind.name === 'account_changed') {
          for (const text of [body, html ?? 'the password']) assert.match(text, /the password/)
          assert.doesNotMatch(`${body}${html}`, /https?:|href/)
          assert.match(body, /2026-01-02 03:04 UTC/)
          return
        }
        const code = kind.name.endsWith('_code') && String(sample.data[kind.name])
        const link =
          kind.name.includes('verification') && channel === 'email' ? String(sample.data.verification_url) : undefined
        if (channel === 'sms') assert.ok(code && body.includes(code))
        else {
          if (code) assert.ok(body.split('\n').includes(code) && subject.includes(code) && html?.includes(`>${code}<`))
          if (link)
            assert.ok(body.split('\n').includes(link) && html?.includes(`href="${link.replaceAll('&', '&amp;')}"`))
        }
        assert.match(body, /valid for 60 minutes/)
      })

  it('hold nothing that a stranger wrote: a name in them would make the mail say what they like', async () => {
    const templates = await builtinTemplates()
    const spam = 'Win at evil.example'
    for (const kind of KINDS) {
      const identity = { traits: { email: 'a@b.example', name: spam } }
      const own = message(kind, { identity, traits: identity.traits, transient_payload: { note: spam } })
      const { subject, body } = await templates.render(own)
      assert.ok(!`${subject}${body}${await templates.html(own)}`.includes('evil'))
    }
  })

  it('name one minute as one', async () => {
    const { body } = await (await builtinTemplates()).render(message(RECOVERY, { expires_in_minutes: 1 }))
    assert.match(body, /valid for 1 minute\./)
  })

  it('lead back to a page for the code where the flow has one', async () => {
    const url = 'https://id.example/self-service/recovery?flow=1&x=2'
    const templates = await builtinTemplates()
    const own = message(RECOVERY, { recovery_url: url })
    assert.ok((await templates.render(own)).body.split('\n').includes(url))
    assert.ok((await templates.html(own))?.includes('href="https://id.example/self-service/recovery?flow=1&amp;x=2"'))
  })

  it('end a recovery SMS so that a browser fills the code in for its own site only', async () => {
    const { body } = await (await builtinTemplates()).render(sampleMessage(RECOVERY, 'sms'))
    assert.match(body, /\n\n@accounts\.example\.org #493815\n$/)
  })
})

describe("an operator's own texts", () => {
  it('come from files, with what is defined beside them, and the rest stays built in', async (t) => {
    const cwd = folder(t, {
      'mails/recovery_code/valid/email.body.plaintext.gotmpl':
        '{{ template "email.body.plaintext.de.gotmpl" . }}{{ template "sign" }}',
      'mails/recovery_code/valid/email.body.plaintext.de.gotmpl': 'Dein Code: {{ .RecoveryCode }}\n',
      'mails/recovery_code/valid/email.body.plaintext.sign.gotmpl': '{{ define "sign" }}Wir{{ end }}',
    })
    const templates = await messageTemplates({ cwd, courier: { template_override_path: 'mails' } })
    const { subject, body } = await templates.render(message(RECOVERY))
    assert.equal(body, 'Dein Code: 493815\nWir')
    assert.match(subject, /^493815 is your code/)
    assert.deepEqual(templates.doubts, [])
  })

  it('come from addresses of the configuration first, each read alone', async (t) => {
    const cwd = folder(t, {
      'mails/recovery_code/valid/email.subject.gotmpl': 'from the folder',
      'mails/recovery_code/valid/email.body.gotmpl': '<b>{{ .Identity.traits.name.first }}</b>',
      'subject.txt': '\ufeff {{ .RecoveryCode }}\n for {{ .To }}\n',
    })
    const templates = await messageTemplates({
      cwd,
      courier: {
        template_override_path: './mails',
        templates: {
          recovery_code: {
            valid: {
              email: { subject: 'file://./subject.txt' },
              sms: { body: { plaintext: base64('SMS {{ .RecoveryCode }} {{ .RequestURLDomain }}') } },
            },
          },
        },
      },
    })
    const evil = message(RECOVERY, { identity: { traits: { name: { first: '<script>' } } } })
    assert.equal((await templates.render(evil)).subject, '493815  for ada@example.org')
    assert.equal(await templates.html(evil), '<b>&lt;script&gt;</b>')
    assert.equal((await templates.render(sampleMessage(RECOVERY, 'sms'))).body, 'SMS 493815 accounts.example.org')
  })

  it('see headers of the request, and traits of who registers', async () => {
    const text = '{{ .Traits.email }} {{ .UserRequestHeaders.Get "user-agent" }}'
    const templates = await messageTemplates({
      courier: { templates: { registration_code: { valid: { email: { body: { plaintext: base64(text) } } } } } },
    })
    const kind = KINDS.find(({ name }) => name === 'registration_code')!
    assert.equal((await templates.render(message(kind))).body, 'ada@example.org Example')
  })

  it('cannot add a header to a mail by a line break in a subject', async () => {
    const subject = base64('Hello {{ .Identity.traits.name }}')
    const templates = await messageTemplates({
      courier: { templates: { recovery_code: { valid: { email: { subject } } } } },
    })
    const evil = message(RECOVERY, { identity: { traits: { name: 'x\r\nBcc: all@example.org\u2028y' } } })
    assert.equal((await templates.render(evil)).subject, 'Hello x Bcc: all@example.org y')
  })

  it('are refused at the start with key, file and line', async (t) => {
    const file = 'recovery_code/valid/email.body.plaintext.gotmpl'
    const cwd = folder(t, { [file]: 'one\ntwo {{ now }}', 'mails/a.txt': '{{ if }}' })
    await assert.rejects(messageTemplates({ cwd, courier: { template_override_path: '.' } }), (error: Error) => {
      assert.ok(error instanceof MessageTemplateError)
      assert.match(error.message, /courier\.template_override_path .*email\.body\.plaintext\.gotmpl:2: .*"now"/)
      return true
    })
    const templates = (url: string) => ({ login_code: { valid: { email: { subject: url } } } })
    const key = /courier\.templates\.login_code\.valid\.email\.subject/
    await assert.rejects(messageTemplates({ cwd, courier: { templates: templates('file://mails/a.txt') } }), key)
    await assert.rejects(
      messageTemplates({ cwd, courier: { templates: templates('file://mails/none.txt') } }),
      /no such file/,
    )
  })

  it('are tried out at the start: a fault that may show later is told', async () => {
    const html = base64('<a href="{{ .RecoveryURL }}>open</a>')
    const templates = await messageTemplates({
      courier: { templates: { recovery: { valid: { email: { body: { html, plaintext: base64('{{ .Code }}') } } } } } },
    })
    assert.deepEqual(
      templates.doubts.map(({ key }) => key),
      ['plaintext', 'html'].map((part) => `courier.templates.recovery.valid.email.body.${part}`),
    )
  })

  it('that fail for one person are replaced by the built-in text, and the operator is told', async () => {
    const failures: Failure[] = []
    const plaintext = base64('Plan {{ .Identity.metadata_public.plan }}')
    const templates = await messageTemplates({
      courier: { templates: { recovery_code: { valid: { email: { body: { plaintext } } } } } },
      onFailure: (failure) => failures.push(failure),
    })
    assert.equal(
      (await templates.render(message(RECOVERY, { identity: { metadata_public: { plan: 'pro' } } }))).body,
      'Plan pro',
    )
    assert.match((await templates.render(message(RECOVERY))).body, /enter this code:\n\n493815\n/)
    assert.deepEqual(
      failures.map(({ key, error }) => [key, error.line]),
      [['courier.templates.recovery_code.valid.email.body.plaintext', 1]],
    )
  })

  it('on a server that is not there do not keep this one from starting, and are used once they can be read', async (t) => {
    let up = false
    const server = createServer((_req, res) => res.writeHead(up ? 200 : 503).end('From afar {{ .RecoveryCode }}'))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    t.after(() => server.close())
    const plaintext = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mail`
    let now = 0
    const templates = await messageTemplates({
      courier: { templates: { recovery_code: { valid: { email: { body: { plaintext } } } } } },
      now: () => now,
    })
    assert.match(templates.doubts[0]?.reason ?? '', /built-in text/)
    up = true
    assert.match((await templates.render(message(RECOVERY))).body, /enter this code/)
    now += 60_000
    assert.equal((await templates.render(message(RECOVERY))).body, 'From afar 493815')
  })
})

function folder(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'templates-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

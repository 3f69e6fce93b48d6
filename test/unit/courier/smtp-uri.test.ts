import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailAddress } from '../../../src/courier/channels/mail.ts'
import { parseSmtpUri } from '../../../src/courier/channels/smtp-uri.ts'

const PLAIN = { host: 'mail.example', verifyCertificate: true, serverName: undefined, login: undefined }

test('the address of a mail server says how to reach it', () => {
  assert.deepEqual(parseSmtpUri('smtps://mail.example/'), {
    ...PLAIN,
    ...{ port: 465, implicitTls: true, demandStartTls: false },
  })
  assert.deepEqual(parseSmtpUri('smtp://mail.example:25'), {
    ...PLAIN,
    ...{ port: 25, implicitTls: false, demandStartTls: true },
  })
  assert.deepEqual(
    parseSmtpUri('smtp://a%40b:p%3Aw@[::1]/?disable_starttls=true&skip_ssl_verify=true&server_name=x.example'),
    {
      ...{ host: '::1', port: 587, implicitTls: false, demandStartTls: false, verifyCertificate: false },
      ...{ serverName: 'x.example', login: { user: 'a@b', password: 'p:w' } },
    },
  )
})

test('what is wrong with it is said without the password', () => {
  for (const [uri, reason] of [
    ['http://mail.example', /neither with smtp/],
    ['smtp://', /no host|no URI/],
    ['smtp://user:secret%zz@mail.example', /percent sign/],
    ['smtp://mail.example:99999', /no URI/],
  ] as const)
    assert.throws(
      () => parseSmtpUri(uri),
      (error: Error) => reason.test(error.message) && !error.message.includes('secret'),
    )
})

test('an address of mail is one line with one address', () => {
  for (const [given, taken] of [
    ['ida@example.com', 'ida@example.com'],
    ['ida@BÜCHER.example', 'ida@xn--bcher-kva.example'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['ida@example.com>\r\nDATA', undefined],
    ['ida', undefined],
    ['@example.com', undefined],
    ['ida@', undefined],
    ['ida @example.com', undefined],
    ['ida@example.com\0', undefined],
  ] as const)
    assert.equal(mailAddress(given), taken, given)
})

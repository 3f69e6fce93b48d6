import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normaliseIdentifier, normalisePhone } from '../../../src/identities/normalise.ts'
import { FORMATS } from '../../../src/identities/schema/formats.ts'
import { plainNumber, quoted } from '../../../src/identities/schema/print.ts'

const label = 'a'.repeat(63)
const GOOD: Record<string, string[]> = {
  email: ['a@b', 'a.b+c@example.org', '"a b"@example.org', 'ü@example.org', `a@${label}.org`, ' a@example.org'],
  tel: ['+49 170 1234567', '+1 (555) 010-9999'],
  date: ['2024-02-29', '2000-12-31'],
  'date-time': ['2026-11-22T14:43:19Z', '2026-11-22T14:43:19.123456789+02:00'],
  time: ['14:43:19Z', '14:43:19.5-07:00'],
  hostname: ['localhost', 'a-b.example.org.', label],
  uri: ['https://example.org/x?y#z', 'mailto:a@b', 'urn:x'],
  'uri-reference': ['/x', '', '?q', 'https://x'],
  ipv4: ['127.0.0.1'],
  ipv6: ['::1', '2001:db8::1'],
  regex: ['^a+$', '(?i)a'],
  'json-pointer': ['', '/a/b~0~1'],
  'no-validate': ['anything'],
}
const BAD: Record<string, string[]> = {
  email: [
    '',
    'a',
    'a@',
    '@b',
    'a@b@',
    'a b@c',
    '.a@b',
    'a.@b',
    'a..b@c',
    'a@b..c',
    'a@-b',
    'a@b-',
    'a@b c',
    'A <a@b>',
  ].concat(
    `${'x'.repeat(65)}@b`,
    `a@${label}a.org`,
    `${'x'.repeat(60)}@${`${label}.`.repeat(4)}org`,
    'a@b\n',
    '"a\n"@b',
  ),
  tel: ['', '0170 1234567', '+0 123456789', '+49', 'phone', `+${'1'.repeat(16)}`],
  date: ['2023-02-29', '2023-13-01', '2023-1-1', '2023-00-10', 'x2023-01-01'],
  'date-time': ['2026-11-22', '2026-11-22 14:43:19Z', '2026-11-22T24:00:00Z', '2026-11-22T14:43:19'],
  time: ['14:43', '25:00:00Z', '14:43:60Z'],
  hostname: ['', '-a', 'a-.b', 'a_b', `${label}a`],
  uri: ['', '/x', 'no uri', 'https://a b/', 'https://x/%zz', 'https://x/\n'],
  ipv4: ['256.0.0.1', '1.2.3', '::1'],
  ipv6: ['127.0.0.1', ':::'],
  regex: ['(', '[', '(?=a)', '(a)\\1', 'a{1000}'.repeat(50)],
  'json-pointer': ['a', '/~2'],
}

describe('formats', () => {
  for (const [format, texts] of Object.entries(GOOD)) {
    test(`${format} takes`, () =>
      assert.deepEqual(
        texts.filter((text) => !FORMATS.get(format)!(text)),
        [],
      ))
  }
  for (const [format, texts] of Object.entries(BAD)) {
    test(`${format} refuses`, () =>
      assert.deepEqual(
        texts.filter((text) => FORMATS.get(format)!(text)),
        [],
      ))
  }
})

describe('identifiers in stored form', () => {
  const cases: [string, string][] = [
    ['  Alice@Example.ORG ', 'alice@example.org'],
    ['\u0085\u3000Jo_Tower\u00a0', 'jo_tower'],
    ['\ufeffx', '\ufeffx'],
    ['ÄÖÜ ß İ', 'äöü ß i'],
    ['ΑΣ', 'ας'.replace('ς', 'σ')],
    ['+49 170', '+49 170'],
  ]
  for (const [given, stored] of cases)
    test(JSON.stringify(given), () => assert.equal(normaliseIdentifier(given), stored))
  test('phone numbers', () => {
    assert.equal(normalisePhone(' +49 (170) 12-34.567/8 '), '+4917012345678')
    assert.equal(normalisePhone('49170'), undefined)
  })
})

describe('values in texts', () => {
  test('numbers', () => {
    const numbers = [0, 18, -0.5, 999999, 1e6, 123456789, 0.0001, 0.00001, 1e21, -2.5e-7]
    assert.deepEqual(numbers.map(plainNumber), [
      ...['0', '18', '-0.5', '999999', '1e+06', '1.23456789e+08', '0.0001', '1e-05', '1e+21', '-2.5e-07'],
    ])
  })
  test('texts', () => {
    assert.equal(quoted('a"\\\n\t\x00\x7f\u00ad\u2028 é😀'), '"a\\"\\\\\\n\\t\\x00\\x7f\\u00ad\\u2028 é😀"')
    assert.equal(quoted(1.5), '"1.5"')
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HttpError } from '../../src/kernel/http/errors.ts'
import { type ReturnToRules, resolveReturnTo } from '../../src/kernel/http/return-to.ts'
import fc from '../helpers/fast-check.ts'
import { anyUrl, edited } from './urls.ts'

/** Where a browser is that gets the redirect: relative answers would be read against it. */
const HERE = 'https://id.example.com/self-service/logout?token=x'

const RULES: ReturnToRules = {
  allowed: [
    'https://app.example.com/',
    'https://app.example.com/inner/',
    'https://paths.example.com/app/',
    'https://ports.example.com:8443',
    'https://*.wild.example.com/',
    'https://*.deep.example.com/area/',
    'http://127.0.0.1:4455',
    'https://bücher.example.com/',
    'myapp://callback',
  ],
  publicBaseUrl: 'https://id.example.com/',
  fallback: 'https://app.example.com/bye',
}

/** Written anew, from the documentation of the key and not from the code under test. */
function isAllowed(answer: string): boolean {
  const url = new URL(answer, HERE)
  if (url.username !== '' || url.password !== '') return false
  const origin = (expected: string, paths: string) =>
    `${url.protocol}//${url.host}` === expected && url.pathname.startsWith(paths)
  const below = (parent: string, paths: string) =>
    url.protocol === 'https:' &&
    url.port === '' &&
    url.hostname.length > parent.length + 1 &&
    url.hostname.endsWith(`.${parent}`) &&
    url.pathname.startsWith(paths)
  return (
    origin('https://app.example.com', '/') ||
    origin('https://paths.example.com', '/app/') ||
    origin('https://ports.example.com:8443', '/') ||
    below('wild.example.com', '/') ||
    below('deep.example.com', '/area/') ||
    origin('http://127.0.0.1:4455', '/') ||
    origin('https://xn--bcher-kva.example.com', '/') ||
    origin('https://id.example.com', '/self-service') ||
    (url.protocol === 'myapp:' && url.host === 'callback')
  )
}

/** Without the two differences that no reader sees: the case of the host, and a path that is empty. */
function withRoot(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^/?#]*)\/?/, (_, origin: string) => `${origin.toLowerCase()}/`)
}

/** @returns the answer, which has been checked; undefined when it was refused as it must be */
function judged(requested: string): string | undefined {
  let answer: string
  try {
    answer = resolveReturnTo(requested, RULES)
  } catch (error) {
    assert.ok(error instanceof HttpError && error.status === 400, `not refused but failed: ${error}`)
    return undefined
  }
  const show = `${JSON.stringify(requested)} leads to ${JSON.stringify(answer)}`
  assert.ok(isAllowed(answer), show)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  assert.doesNotMatch(answer, /[\x00-\x20\x7f-\uffff]|^[^?#]*\\/, `${show}, which cannot stand in a header as it is`)
  const read = new URL(answer, HERE).href
  assert.equal(new URL(read).href, read)
  assert.equal(withRoot(read), withRoot(answer), `${show}, which a browser reads as ${read}`)
  return answer
}

describe('return_to never leaves the allow list, as a browser reads it', () => {
  for (const [name, arbitrary] of Object.entries({ 'URLs made of tricks': anyUrl, 'allowed URLs, edited': edited })) {
    test(name, () => {
      let allowed = 0
      fc.assert(
        fc.property(arbitrary, (requested) => {
          if (judged(requested) !== undefined) allowed += 1
        }),
        { numRuns: 20_000 },
      )
      assert.ok(allowed > 200, `only ${allowed} were allowed: the property holds little`)
    })
  }

  test('any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (requested) => void judged(requested)),
      { numRuns: 5000 },
    )
  })

  test('what is allowed stays allowed: asking for the answer gives the answer', () => {
    fc.assert(
      fc.property(anyUrl, (requested) => {
        const answer = judged(requested)
        if (answer !== undefined) assert.equal(judged(answer), answer)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('return_to, one by one', () => {
  const REFUSED = [
    ...[
      'https://evil.test',
      '//evil.test',
      '\\\\evil.test',
      '/\\evil.test',
      'https:\\\\evil.test',
      'https:/\\evil.test',
    ],
    ...['https://app.example.com@evil.test/', 'https://app.example.com:x@evil.test/', 'https://a:b@app.example.com/'],
    ...['https://app.example.com.evil.test/', 'https://app.example.com%2eevil.test/', 'https://evilapp.example.com/'],
    ...['https://evil.test\\.app.example.com/', 'https://evil.test%23.app.example.com/'],
    ...[
      'http://app.example.com/',
      'https://app.example.com:444/',
      'https://ports.example.com/',
      'ftp://app.example.com/',
    ],
    ...['https://paths.example.com/', 'https://paths.example.com/app/../x', 'https://paths.example.com/app/%2e%2e/x'],
    ...[
      'https://paths.example.com/app/..%2fx',
      'https://paths.example.com/app/..%5cx',
      'https://paths.example.com/app/.%2E/x',
    ],
    ...[
      'https://paths.example.com/app\\..\\x',
      'https://paths.example.com/app/\t../x',
      'https://paths.example.com/application/',
    ],
    ...['https://wild.example.com/', 'https://evilwild.example.com/', 'https://a.wild.example.com:8443/'],
    ...[
      'https://wild.example.com.evil.test/',
      'https://evil.test/.wild.example.com/',
      'https://evil.test#.wild.example.com',
    ],
    ...['https://x.deep.example.com/', 'https://x.deep.example.com/area/../y', 'https://x.deep.example.com/areas'],
    ...['https://аpp.example.com/', 'https://bucher.example.com/', 'https://app.example.com./', 'https://[::1]/'],
    ...[
      'javascript:alert(1)',
      'JAVASCRIPT:alert(1)',
      'java\nscript:alert(1)',
      '\x01javascript:alert(1)',
      'javascript://app.example.com/%0aalert(1)',
    ],
    ...[
      'data:text/html,x',
      'vbscript:x',
      'blob:https://app.example.com/x',
      'file:///etc/passwd',
      'view-source:https://app.example.com/',
    ],
    ...['https:///evil.test', 'https://', 'http://[', 'https://app.example.com:99999/'],
    ...['myapp://callback.evil.test', 'myapp://evil', 'myapp:callback', 'MYAPP://evil', 'myapp://callback@evil'],
    ...[
      'https://id.example.com/',
      'https://id.example.com/self-service/../x',
      'https://id.example.com/self-service/%2e%2e/x',
    ],
  ]
  for (const url of REFUSED) {
    test(`${JSON.stringify(url)} is refused`, () => assert.equal(judged(url), undefined))
  }

  const ALLOWED: [string, string][] = [
    ['', 'https://app.example.com/bye'],
    ['https://app.example.com', 'https://app.example.com'],
    ['https://app.example.com/x?y=z#f', 'https://app.example.com/x?y=z#f'],
    ['HTTPS://APP.EXAMPLE.COM/X', 'https://APP.EXAMPLE.COM/X'],
    ['https://app.example.com?x=y', 'https://app.example.com?x=y'],
    ['?x=y', 'https://app.example.com?x=y'],
    ['#f', 'https://app.example.com#f'],
    ['//app.example.com/x', 'https://app.example.com/x'],
    ['/a b', 'https://app.example.com/a%20b'],
    ['/x?q=100%', 'https://app.example.com/x?q=100%'],
    ['/x?text=a%0Ab', 'https://app.example.com/x?text=a%0Ab'],
    ['/relative?a=b', 'https://app.example.com/relative?a=b'],
    ['https://paths.example.com/app/./x/../y', 'https://paths.example.com/app/y'],
    ['https://a.b.wild.example.com/x', 'https://a.b.wild.example.com/x'],
    ['https://x.deep.example.com/area/y', 'https://x.deep.example.com/area/y'],
    ['https://bücher.example.com/ä', 'https://xn--bcher-kva.example.com/%C3%A4'],
    ['https://id.example.com/self-service/login/browser', 'https://id.example.com/self-service/login/browser'],
    ['myapp://callback', 'myapp://callback'],
  ]
  for (const [url, answer] of ALLOWED) {
    test(`${JSON.stringify(url)} is sent as ${answer}`, () => assert.equal(judged(url), answer))
  }

  test('an allow list that names a scheme which browsers run opens nothing', () => {
    for (const entry of [
      'javascript:',
      'data:',
      'javascript://x/',
      'https://*.com',
      'https://*',
      '*',
      '',
      'https://*.*',
    ])
      for (const url of ['javascript:alert(1)', 'javascript://x/%0aalert(1)', 'data:text/html,x', 'https://evil.com/'])
        assert.throws(() => resolveReturnTo(url, { ...RULES, allowed: [entry] }), HttpError, `${entry} opens ${url}`)
  })
})

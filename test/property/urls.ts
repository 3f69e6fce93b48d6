import fc from '../helpers/fast-check.ts'

const scheme = fc.constantFrom(
  ...[
    'https',
    'http',
    'HTTPS',
    'hTTp',
    'javascript',
    'JaVaScRiPt',
    'data',
    'vbscript',
    'blob:https',
    'file',
    'ftp',
    'ws',
  ],
  ...['myapp', 'view-source:https', 'about', 'ht\ttps', 'https\n', '\x01https', ' https', 'filesystem:https', ''],
)
const slashes = fc.constantFrom(
  '://',
  ':',
  ':/',
  ':\\\\',
  ':/\\',
  ':\\/',
  ':///',
  '://///',
  '//',
  '\\\\',
  '/\\',
  '/\t/',
  '',
)
const userinfo = fc.constantFrom(
  '',
  '',
  '',
  'app.example.com@',
  'a:b@',
  '@',
  ':@',
  'app.example.com%40',
  'app.example.com:443@',
)
const host = fc.constantFrom(
  ...['app.example.com', 'APP.example.COM', 'app.example.com.', 'app.example.com.evil.test', 'evilapp.example.com'],
  ...['app。example。com', 'app%2eexample%2ecom', 'app%252eexample.com', 'ａpp.example.com', 'app\u00adexample.com'],
  ...['paths.example.com', 'ports.example.com', 'wild.example.com', '.wild.example.com', 'a.wild.example.com'],
  ...[
    'evilwild.example.com',
    'a.b.wild.example.com',
    'x.deep.example.com',
    'wild.example.com.evil.test',
    '*.wild.example.com',
  ],
  ...['bücher.example.com', 'xn--bcher-kva.example.com', 'bucher.example.com', 'аpp.example.com', 'BÜCHER.example.com'],
  ...[
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'evil.test',
    'callback',
    'id.example.com',
  ],
  ...[
    'app.example.com\\evil.test',
    'app.example.com\tevil.test',
    'evil.test#app.example.com',
    'evil.test?app.example.com',
    '',
  ],
)
const port = fc.constantFrom(
  '',
  '',
  '',
  ':443',
  ':80',
  ':8443',
  ':4455',
  ':0',
  ':65536',
  ':',
  ':4455@evil.test',
  ':8443.evil.test',
)
const segment = fc.constantFrom(
  ...[
    'app',
    'area',
    'inner',
    'x',
    '..',
    '.',
    '%2e%2e',
    '%2E.',
    '.%2e',
    '..%2f',
    '%2f',
    '%5c',
    '\\',
    '..\\',
    '%00',
    '%0d%0aSet-Cookie:a=b',
  ],
  ...['self-service', 'self-service-x', 'application', '%252e%252e', '..;', 'é', '\n', '\t..', '@evil.test', ''],
)
const path = fc.array(segment, { maxLength: 5 }).map((segments) => segments.map((s) => `/${s}`).join(''))
const tail = fc.constantFrom(
  '',
  '?a=b',
  '?return_to=https://evil.test',
  '#https://evil.test',
  '?\r\nX: y',
  '#\\\\evil.test',
  '?é',
)
/** Mostly what is in order, so that enough of it is allowed and one trick at a time is tried. */
const mostly = (usual: readonly string[], tricks: fc.Arbitrary<string>) =>
  fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 5 }, { arbitrary: tricks, weight: 1 })

const HOSTS = ['app.example.com', 'paths.example.com', 'a.wild.example.com', 'x.deep.example.com', 'bücher.example.com']

/** Parts that go together or not. */
export const anyUrl = fc
  .tuple(
    mostly(['https'], scheme),
    mostly(['://'], slashes),
    mostly([''], userinfo),
    mostly(HOSTS, host),
    mostly([''], port),
    mostly(['/app/x', '/area/', '/'], path),
    tail,
  )
  .map((parts) => parts.join(''))

/** Something that is allowed, with one to three changes anywhere. */
const EDITS = [
  '\t',
  '\n',
  '\r',
  '\0',
  ' ',
  '\\',
  '/',
  '//',
  '@',
  ':',
  '.',
  '..',
  '%2e',
  '%2f',
  '#',
  '?',
  '。',
  '\ufeff',
  '\u202e',
  '*',
  'x',
  '',
]
export const edited = fc
  .tuple(
    fc.constantFrom(
      ...['https://app.example.com/inner/x', 'https://paths.example.com/app/x', 'https://a.wild.example.com/x?y#z'],
      ...['https://ports.example.com:8443/', 'http://127.0.0.1:4455/x', 'myapp://callback', '/self-service/x', 'x'],
    ),
    fc.array(fc.tuple(fc.nat(40), fc.nat(3), fc.constantFrom(...EDITS)), { minLength: 1, maxLength: 3 }),
  )
  .map(([url, edits]) =>
    edits.reduce(
      (text, [at, cut, add]) =>
        text.slice(0, at % (text.length + 1)) + add + text.slice((at % (text.length + 1)) + cut),
      url,
    ),
  )

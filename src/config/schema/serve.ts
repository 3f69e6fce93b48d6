import { z } from 'zod'
import { integer, key, section, sensitive, strings, unique, uri, uriOrPath } from './fields.ts'

const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'HEAD', 'OPTIONS', 'TRACE'] as const
const HEADERS = ['Authorization', 'Content-Type', 'Max-Age', 'X-Session-Token', 'X-XSRF-TOKEN', 'X-CSRF-TOKEN']

const origin = z
  .string()
  .min(1)
  .refine(
    (text) => text === '*' || uri().safeParse(text).success,
    'needs a scheme, as in https://app.example.com, or is *',
  )
  .refine((text) => text.split('*').length <= 2, 'more than one * in an origin')

const tlsSource = (what: string) =>
  section({
    path: key(z.string().optional(), `PEM file with the ${what}.`, 'A', 'start'),
    base64: key(
      sensitive(z.string()).optional(),
      `The ${what} as base64 of the PEM text; wins over \`path\`.`,
      'A',
      'start',
    ),
  })

const listener = (port: number) => ({
  host: key(
    z.string().default('0.0.0.0'),
    'Interface to listen on. `unix:/path` listens on a socket file instead and ignores the port.',
    'A',
    'start',
  ),
  port: key(integer(1, 65535).default(port), 'TCP port.', 'A', 'start'),
  socket: section({
    owner: key(z.string().default(''), 'User that owns the socket file.', 'A', 'start'),
    group: key(z.string().default(''), 'Group of the socket file.', 'A', 'start'),
    mode: key(
      integer(0, 511).default(493),
      'Permissions of the socket file, as a decimal number (493 is 0755).',
      'A',
      'start',
    ),
  }),
  request_log: section({
    disable_for_health: key(z.boolean().default(false), 'Leaves health checks out of the request log.', 'A', 'start'),
  }),
  tls: section({ cert: tlsSource('certificate chain'), key: tlsSource('private key') }),
})

const cors = section({
  enabled: key(z.boolean().default(false), 'Answers cross-origin requests of browsers.'),
  allowed_origins: key(
    unique(origin).default(['*']),
    'Origins that may read answers: exact, `*`, or with one wildcard (`https://*.example.com`).',
  ),
  allowed_methods: key(
    z.array(z.enum(METHODS)).default(['POST', 'GET', 'PUT', 'PATCH', 'DELETE']),
    'Methods a preflight may ask for.',
  ),
  allowed_headers: key(strings().default(HEADERS), 'Request headers a preflight may ask for.'),
  exposed_headers: key(strings().default(['Content-Type']), 'Response headers that scripts may read.'),
  allow_credentials: key(z.boolean().default(true), 'Lets browsers send cookies along.'),
  options_passthrough: key(z.boolean().default(false), 'Would hand OPTIONS requests to the routes.', 'B'),
  max_age: key(integer(0).default(0), 'Seconds a browser may remember a preflight; 0 sends no such header.'),
  debug: key(z.boolean().default(false), 'Would log every CORS decision.', 'B'),
})

export const serve = section({
  public: section({
    base_url: key(
      uriOrPath().optional(),
      'Address of the public API as browsers see it; a path is kept. `/` yields relative addresses. Unset: made from host and port. The name of the anti-CSRF cookie depends on the exact text.',
    ),
    ...listener(4433),
    cors,
  }),
  admin: section({
    base_url: key(uri().optional(), 'Address of the admin API, absolute. The public port redirects admin paths there.'),
    ...listener(4434),
  }),
})

export const log = section({
  level: key(
    z.enum(['trace', 'debug', 'info', 'warning', 'error', 'fatal', 'panic']).default('info'),
    'Least severe level that is logged.',
    'A',
    'start',
  ),
  format: key(
    z.enum(['json', 'text']).optional(),
    'Unset: readable text on a terminal, JSON lines elsewhere.',
    'A',
    'start',
  ),
  leak_sensitive_values: key(
    z.boolean().optional(),
    'Without effect: query strings, cookies and tokens are never logged, whatever is set here.',
    'A',
    'start',
  ),
  redaction_text: key(z.string().optional(), 'Without effect: what is hidden is left out.', 'A', 'start'),
})

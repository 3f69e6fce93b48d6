import { isIP } from 'node:net'
import { z } from 'zod'
import { parseUrl } from '../../kernel/base/url.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import { events } from './events.ts'
import { byteSize, duration, integer, key, pause, section, stringMap, strings, unique } from './fields.ts'
import { letheCourier } from './lethe-courier.ts'
import { sessionRules } from './session-rules.ts'

const CIDR = /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(\/[0-9]{1,3})?$/
const NO_NETWORK = 'is neither an address nor a range such as 10.0.0.0/8 or fd00::/8'

function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/')
  const version = isIP(address)
  return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128))
}

const webOrigin = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => /^https?:\/\//.test(text) && parseUrl(text)?.origin === text, {
    message:
      'is not an origin: a scheme, a host and a port that is not the default one, as in https://tools.example.com',
  })
const hostName = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text), {
    message: 'is not the name of a host, without scheme and port: as in lethe.example.com or *.example.com',
  })

const tenant = z.string().toLowerCase().refine(isUuid, { message: 'is not the id of a tenant: a UUID' })

const SITE_DATA = ['cache', 'storage', 'cookies', 'executionContexts'] as const
const START = ['A', 'start'] as const

/** What goes beyond Kratos. May stand in a second file, so that Kratos can still read the first. */
export const lethe = section({
  logout: section({
    dead_session: key(
      z.enum(['error', 'succeed']).default('error'),
      'Answer to a logout of a session that has already ended: an error as in Kratos, or success, since it is gone.',
    ),
    clear_site_data: key(
      unique(z.enum(SITE_DATA)).default([]),
      'Sent as `Clear-Site-Data` with a logout that succeeded. `cookies` clears those of every application on the domain.',
    ),
  }),
  cookies: section({
    previous: key(
      z
        .array(
          z.strictObject({
            name: z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/),
            domain: z.string().optional(),
            path: z.string().optional(),
          }),
        )
        .default([]),
      'Session cookies under earlier names, domains or paths, cleared too at logout. Otherwise one left behind could outlive it.',
    ),
  }),
  admin: section({
    allowed_origins: key(
      unique(webOrigin).default([]),
      'Origins of web pages that may send requests to the admin port, as `https://tools.example.com`, beside its own. Others get 403. They cannot read answers: there is no CORS.',
    ),
    allowed_hosts: key(
      unique(hostName).default([]),
      'Names that requests to the admin port may use for its host, as `lethe.example.com` or `*.example.com`, beside addresses, `localhost`, the name of the machine and that of `serve.admin.base_url`. Empty: none more on a loopback address; elsewhere any from programs, and from browsers those of private networks.',
    ),
  }),
  sessions: section({
    ...sessionRules,
    end_on_password_change: key(
      z.enum(['none', 'others', 'all']).default('none'),
      'Sessions that end when a password changes.',
    ),
    end_on_factor_change: key(
      z.enum(['none', 'others', 'all']).default('none'),
      'Sessions that end when their owner sets up or removes a second factor, a security key or a passkey.',
    ),
    end_on_recovery: key(
      z.enum(['none', 'others']).default('none'),
      'Sessions that end when their owner recovers the account: none, as in Kratos, or all earlier ones. An attacker who made the recovery necessary may be signed in.',
    ),
    identity_disabled: key(
      z.enum(['suspend', 'end']).default('suspend'),
      'What becomes of the sessions of an identity that is disabled: they are refused until it is enabled again, as in Kratos, or they end for good. Both are an event `session.ended`; `session.resumed` reverses the first.',
    ),
  }),
  recovery: section({
    first_proof: key(
      z.enum(['keep', 'reclaim']).default('keep'),
      'What a recovery does to an account of which no address was verified before, so that a stranger may have made it: nothing more, as in Kratos, or its password, second factors, keys and linked accounts go, and all its sessions end. From then on only a verified address of it recovers it: the stranger may have given another one, too.',
    ),
  }),
  links: section({
    confirm: key(
      z.boolean().default(false),
      'A link of recovery or verification is used only after a click on a page of Lethe, unless the browser that asked for it opens it: mail gateways that open links to look behind them would use it up. False, as in Kratos: opening it is enough.',
    ),
  }),
  providers: key(
    z
      .array(
        z.strictObject({
          id: z.string(),
          allowed_tenants: unique(tenant).min(1).optional(),
          require_iss: z.boolean().optional(),
        }),
      )
      .max(1000)
      .default([]),
    'What holds for single providers of `selfservice.methods.oidc`, by their `id`. `allowed_tenants`: ids of the tenants of Microsoft Entra (the claim `tid`) whose people may sign in, register and be linked; all others are refused. For `microsoft_tenant: common` and `organizations`, which take every tenant there is. `require_iss`: an answer without the parameter `iss` (RFC 9207) is refused, which Kratos takes; for providers that announce `authorization_response_iss_parameter_supported`.',
  ),
  keys: section({
    copied: key(
      z.enum(['accept', 'refuse']).default('accept'),
      'What becomes of a sign-in with a key whose counter did not rise, so that it may have been copied. Both set its `clone_warning` or log it; `refuse` applies to keys that cannot be backed up alone, since copies of the others on several devices of one person are normal.',
    ),
  }),
  identity: section({
    notify: key(
      unique(z.enum(['address', 'password', 'factor', 'provider'])).default([]),
      'Changes of which the owner is told, by a message to every address that was verified before: of an address, the password, second factors and keys, linked accounts of providers. Changes by the owner, after a recovery, by an operator or by a web hook count alike.',
    ),
    backtracking_patterns: key(
      strings().default([]),
      'Ids of identity schemas whose patterns may use what cannot run in linear time: look-around and back-references, which Kratos refuses. A clumsy one lets a single text stop the server for minutes. Schemas that are not named are refused at start with such a pattern.',
    ),
  }),
  database: section({
    max_connections: key(
      integer(1, 1000).optional(),
      'Connections of one process at most; unset: `max_conns` of the dsn, else twice the number of processors, divided among workers.',
      ...START,
    ),
    connect_timeout: key(pause(0).prefault('5s'), 'Time to open a connection.', ...START),
    acquire_timeout: key(
      pause(0).prefault('5s'),
      'Time to wait for a free connection; then the answer is 503.',
      ...START,
    ),
    statement_timeout: key(pause(0).prefault('10s'), 'Time of one statement, enforced by the database.', ...START),
    lock_timeout: key(pause(0).prefault('2s'), 'Time to wait for a row lock, enforced by the database.', ...START),
    tokens: key(
      z.enum(['sha256', 'plain']).optional(),
      'How session tokens are stored. Decided when the database is first used and kept there; a different value here is refused then.',
      ...START,
    ),
  }),
  http: section({
    request_timeout: key(
      pause(0).prefault('30s'),
      'Time to receive a whole request. A client that takes nothing of its answer for twice as long is cut off.',
      ...START,
    ),
    drain_delay: key(
      pause(0).prefault('5s'),
      'After SIGTERM, how long the node goes on answering while `/health/ready` is already red: at least two probes of your load balancer. None after SIGINT, with `--dev`, and with the embedded database.',
      ...START,
    ),
    response_timeout: key(
      pause(0).prefault('20s'),
      'Time to answer a request; then the answer is 503. Six times as long on the admin port, where batches hash many passwords.',
      ...START,
    ),
    max_event_loop_delay: key(
      pause(0).prefault('1s'),
      'While requests wait behind more work than this inside the process, those at the public port are answered with 503 at once; 0: never. A pause of the machine is no work. `/health/alive` and the admin port are exempt.',
      ...START,
    ),
    header_limit: key(
      byteSize().prefault('32KB'),
      'Largest request line and headers together; more is answered with 431.',
      ...START,
    ),
    body_limit: key(
      byteSize().prefault('5MB'),
      'Largest request body on the admin port; more is answered with 400.',
      ...START,
    ),
    form_limit: key(
      byteSize().prefault('256KB'),
      'Largest request body on the public port, where all bodies are forms of self-service; more is answered with 400.',
      ...START,
    ),
    form_fields: key(integer(1).default(1000), 'Fields of one form; more are answered with 400.', ...START),
    json_values: key(
      integer(1).default(10_000),
      'Members and items of one JSON body, on all its levels together; more are answered with 400. Ten times as many on the admin port, where batches come in.',
      ...START,
    ),
    json_depth: key(
      integer(1, 500).default(64),
      'Levels of objects and lists in one JSON body; more are answered with 400.',
      ...START,
    ),
    trusted_proxies: key(
      z.array(z.literal('unix').or(z.string().regex(CIDR).refine(isNetwork, NO_NETWORK))).default([]),
      'Proxies that are trusted to name the address of the client: addresses and ranges (CIDR), `unix` for a Unix socket. `X-Forwarded-For` counts before `True-Client-IP`, `CF-Connecting-IP` and `X-Real-IP`; `CF-IPCity` and `CF-IPCountry` are trusted too. Empty: none, and the peer of the connection is the client.',
      ...START,
    ),
  }),
  hashing: section({
    concurrency: key(
      integer(1, 1024).optional(),
      'Password hashes that one process computes at once; unset: the number of processors, divided among workers, and three at most.',
      ...START,
    ),
    queue: key(
      integer(0).default(128),
      'Password hashes that may wait, if their turn comes within five seconds as far as the last ones tell; beyond, the answer is 503.',
      ...START,
    ),
  }),
  limits: section({
    traits: key(
      byteSize().prefault('64KB'),
      'Largest traits of one identity, as JSON; larger ones are answered with 400. Those that are stored already stay, and may not grow.',
    ),
    metadata: key(byteSize().prefault('64KB'), 'The same for `metadata_public` and for `metadata_admin`, each.'),
    login: section({
      per_identifier: key(
        integer(0, 10_000).default(10),
        'Failed logins of one identifier within the window, on all nodes together; 0: no limit. A browser or a network that has signed in to the account before has as many of its own, so that guesses of others do not lock the owner out.',
      ),
      per_address: key(
        integer(0, 10_000).default(100),
        'Failed logins from one address (IPv6: one /64 network) within the window, on all nodes together; 0: no limit. Behind a proxy that is not in `lethe.http.trusted_proxies` there is no such limit, since all people would share it.',
      ),
      window: key(duration().prefault('1m'), 'Time over which failed logins are counted.'),
    }),
    messages: section({
      per_recipient: key(
        integer(0, 10_000).default(10),
        'Messages to one address or telephone number within the window, on all nodes together, from all clients, for known and unknown addresses alike; beyond, the answer is 429. 0: no limit. It also bounds how many codes can be guessed at.',
      ),
      window: key(duration().prefault('30m'), 'Time over which messages are counted.'),
    }),
  }),
  web_hooks: section({
    timeout: key(
      pause(1).prefault('10s'),
      'Time for all web hooks at one place of a flow together, with their further tries; then the flow fails with 504.',
    ),
    cookies: key(
      strings().default([]),
      'Names of request cookies that web hooks are given as `ctx.request_cookies`. Kratos gives them all, the session cookie included, to every receiver.',
    ),
  }),
  ui: section({
    enabled: key(
      z.boolean().optional(),
      'Serves the built-in pages under /ui/. Unset: when a `ui_url` points there.',
      ...START,
    ),
    texts: key(stringMap().default({}), 'Own texts of the built-in pages, by message id or name.'),
  }),
  courier: letheCourier,
  events,
  gc: section({
    enabled: key(z.boolean().default(true), 'Deletes what has expired while the server runs.'),
    interval: key(pause(1).prefault('1m'), 'Pause between two rounds.'),
    batch_size: key(integer(1, 10_000).default(100), 'Rows ended or deleted with one statement.'),
    session_retention: key(duration().prefault('24h'), 'How long ended sessions are kept.'),
    flow_retention: key(duration().prefault('24h'), 'How long expired flows are kept.'),
    error_retention: key(duration().prefault('168h'), 'How long errors shown to people are kept.'),
    message_retention: key(
      duration().optional(),
      'How long messages that were sent or given up are kept, also beside Kratos. Unset: for ever, as in Kratos.',
    ),
  }),
})

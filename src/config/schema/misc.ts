import { z } from 'zod'
import {
  duration,
  integer,
  key,
  openSection,
  section,
  sensitive,
  singleDuration,
  stringMap,
  strings,
  uri,
} from './fields.ts'

const WEB_HOOK_HEADERS = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Content-Length',
  'Content-Type',
  'Origin',
  'Priority',
  'Referer',
  'Sec-Ch-Ua',
  'Sec-Ch-Ua-Mobile',
  'Sec-Ch-Ua-Platform',
  'Sec-Fetch-Dest',
  'Sec-Fetch-Mode',
  'Sec-Fetch-Site',
  'Sec-Fetch-User',
  'True-Client-Ip',
  'User-Agent',
]
const flag = (doc: string, cls: 'A' | 'B' = 'B') => key(z.boolean().default(false), doc, cls)

export const general = {
  dsn: key(
    sensitive(z.string()),
    'Database: `postgres://…` for a server, `pglite://FOLDER` for an embedded one on disk, `memory` for one that is gone at exit. Required.',
    'A',
    'start',
  ),
  version: key(
    z.string().optional(),
    'Version of Kratos the file was written for. Another one is worth a warning, no more.',
  ),
  dev: key(z.boolean().optional(), 'Without effect in a file. Use the flag `--dev` or `DEV=true`.', 'B'),
  help: key(z.boolean().optional(), 'Without effect.', 'B'),
  config: key(strings().optional(), 'Without effect. Use the flag `--config`.', 'B'),
  'sqa-opt-out': key(z.boolean().default(false), 'There is no telemetry to opt out of.', 'B'),
  'watch-courier': key(
    z.boolean().default(false),
    'Does nothing in a file, as in Kratos: give `serve` the flag `--watch-courier`.',
    'B',
  ),
  'expose-metrics-port': key(integer(0, 65535).default(0), 'Port of the metrics of a separate courier.', 'B'),
  revision: key(z.string().optional(), 'Free text; enters the hash that the admin API shows at `/health/config`.'),
  organizations: key(z.array(z.unknown()).default([]), 'Needs a licence in Kratos; without effect.', 'B'),
  enterprise: section({
    identity_schema_fallback_url_template: key(
      z.string().optional(),
      'Needs a licence in Kratos; without effect.',
      'B',
    ),
  }),
  preview: openSection({
    default_read_consistency_level: key(
      z.enum(['strong', 'eventual']).default('strong'),
      'For other databases only.',
      'B',
    ),
  }),
}

export const database = section({
  cleanup: openSection({
    batch_size: key(integer(1).default(100), 'Rows that `cleanup sql` deletes with one statement.', 'A', 'start'),
    sleep: openSection({
      tables: key(singleDuration().prefault('1m'), 'Pause of `cleanup sql` between two tables.', 'A', 'start'),
    }),
    older_than: key(
      singleDuration().prefault('0s'),
      'Age at which `cleanup sql` deletes; its flag `--keep-last` wins.',
      'A',
      'start',
    ),
  }),
})

export const identity = section({
  default_schema_id: key(
    z.string().default('default'),
    'Schema of identities that name none. Must be one of `identity.schemas`.',
  ),
  schemas: key(
    z
      .array(
        z.looseObject({
          id: z.string(),
          url: uri(),
          selfservice_selectable: z.boolean().default(false),
        }),
      )
      .min(1),
    'Identity schemas: `id` and `url` each (`file://`, `base64://`, `http(s)://`). Required.',
  ),
})

export const oauth2Provider = section({
  url: key(uri().optional(), 'Admin address of the OAuth2 server (Ory Hydra) whose people sign in here.'),
  headers: key(sensitive(stringMap()).optional(), 'Headers sent to it.'),
  override_return_to: flag(
    '`return_to` of a login is where the person began at that server; it must be an allowed address.',
    'A',
  ),
})

export const tracing = key(
  z
    .strictObject({
      provider: key(z.enum(['jaeger', 'otel', 'zipkin']).optional(), 'Kind of tracing backend.', 'B', 'start'),
      service_name: key(z.string().optional(), 'Name of this service in traces.', 'B', 'start'),
      deployment_environment: key(z.string().optional(), 'Name of the environment in traces.', 'B', 'start'),
      providers: section({
        jaeger: section({
          local_agent_address: key(z.string().optional(), 'Address of the agent.', 'B', 'start'),
          sampling: section({
            server_url: key(uri().optional(), 'Address of the sampling server.', 'B', 'start'),
            trace_id_ratio: key(z.number().optional(), 'Share of traces kept.', 'B', 'start'),
          }),
        }),
        zipkin: section({
          server_url: key(uri().optional(), 'Address of the collector.', 'B', 'start'),
          sampling: section({ sampling_ratio: key(z.number().optional(), 'Share of traces kept.', 'B', 'start') }),
        }),
        otlp: section({
          server_url: key(z.string().optional(), 'Address of the collector.', 'B', 'start'),
          insecure: key(z.boolean().optional(), 'Without TLS.', 'B', 'start'),
          authorization_header: key(sensitive(z.string()).optional(), 'Sent to the collector.', 'B', 'start'),
          sampling: section({ sampling_ratio: key(z.number().optional(), 'Share of traces kept.', 'B', 'start') }),
        }),
      }),
    })
    .prefault({}),
  'Tracing.',
  'B',
  'start',
)

export const clients = openSection({
  http: openSection({
    disallow_private_ip_ranges: flag('Outgoing requests may not reach private addresses.', 'A'),
    private_ip_exception_urls: key(strings().default([]), 'Addresses that stay reachable all the same; exact matches.'),
  }),
  web_hook: openSection({
    header_allowlist: key(strings().default(WEB_HOOK_HEADERS), 'Request headers handed on to web hooks.'),
  }),
})

export const security = openSection({
  account_enumeration: openSection({
    mitigate: flag(
      'Login does not tell whether an account exists, with this key or without. Registration of a taken identifier still does, as in Kratos: without a message to its owner there is no other answer.',
      'A',
    ),
  }),
})

export const featureFlags = section({
  cacheable_sessions: flag('Adds `Ory-Session-Cache-For` to answers of /sessions/whoami.', 'A'),
  cacheable_sessions_max_age: key(duration().optional(), 'Upper limit of that header.'),
  faster_session_extend: flag('PATCH /admin/sessions/{id}/extend answers 204 without a body.', 'A'),
  use_continue_with_transitions: flag(
    'Scripts and apps are answered at the end of a recovery with the flow and `continue_with`, an app with its session token; else with 422, and an app without a session.',
    'A',
  ),
  choose_recovery_address: flag(
    'A recovery may begin with any address of the account, and asks which one is meant where there are several, half hidden. A caller who names one address learns that the account exists, and how many addresses it has.',
    'A',
  ),
  legacy_continue_with_verification_ui: flag('Older behaviour after registration.'),
  legacy_require_verified_login_error: flag('An unverified login is a form error instead of a 403.', 'A'),
  password_profile_registration_node_group: key(
    z.enum(['password', 'default']).default('default'),
    'Group of the trait fields in the registration form.',
  ),
  legacy_oidc_registration_node_group: flag('Older group of the fields that a provider leaves open.', 'A'),
})

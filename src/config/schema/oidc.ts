import { z } from 'zod'
import { sensitive, strings, uri } from './fields.ts'

// biome-ignore format: one word a line would hide the rest of the file
const PROVIDERS = [
  'github', 'github-app', 'gitlab', 'generic', 'google', 'microsoft', 'discord', 'salesforce', 'slack', 'facebook',
  'auth0', 'vk', 'yandex', 'apple', 'spotify', 'netid', 'dingtalk', 'patreon', 'line', 'linkedin', 'linkedin_v2',
  'lark', 'x', 'fedcm-test', 'amazon', 'uaepass',
] as const
const APPLE = ['apple_team_id', 'apple_private_key_id', 'apple_private_key'] as const

/**
 * One provider of `selfservice.methods.oidc`. What Kratos refuses is refused here too: otherwise the file would fail on the
 * day an operator goes back to Kratos.
 */
export const oidcProvider = z
  .strictObject({
    id: z.string(),
    provider: z.enum(PROVIDERS),
    label: z.string().optional(),
    client_id: z.string(),
    client_secret: sensitive(z.string()).optional(),
    issuer_url: uri().optional(),
    auth_url: uri().optional(),
    token_url: uri().optional(),
    mapper_url: uri(),
    scope: strings().optional(),
    microsoft_tenant: z.string().optional(),
    subject_source: z.enum(['userinfo', 'me', 'oid']).default('userinfo'),
    apple_team_id: z.string().optional(),
    apple_private_key_id: z.string().optional(),
    apple_private_key: sensitive(z.string()).optional(),
    requested_claims: z.looseObject({}).optional(),
    organization_id: z.string().optional(),
    additional_id_token_audiences: strings().optional(),
    aal2_acr_values: strings().optional(),
    aal2_amr_values: strings().optional(),
    claims_source: z.enum(['id_token', 'userinfo']).default('id_token'),
    pkce: z.enum(['auto', 'never', 'force']).default('auto'),
    fedcm_config_url: uri().optional(),
    net_id_token_origin_header: z.string().optional(),
    account_linking_mode: z.enum(['confirm_with_existing_credential', 'automatic']).optional(),
    update_identity_on_login: z.enum(['never', 'automatic']).default('never'),
  })
  .check((ctx) => {
    const { value } = ctx
    const missing = (name: string) =>
      ctx.issues.push({
        code: 'custom',
        input: value,
        path: [name],
        params: { missing: name },
        message: `missing properties: "${name}"`,
      })
    const unwanted = (name: string) =>
      ctx.issues.push({
        code: 'custom',
        input: value,
        path: [name],
        message: `not allowed for provider "${value.provider}"`,
      })
    if (value.provider === 'apple') {
      for (const name of APPLE) if (value[name] === undefined) missing(name)
      if (value.client_secret) unwanted('client_secret')
    } else {
      if (value.client_secret === undefined) missing('client_secret')
      for (const name of APPLE) if (value[name]) unwanted(name)
    }
    if (value.provider === 'microsoft' && value.microsoft_tenant === undefined) missing('microsoft_tenant')
    if (value.provider !== 'microsoft' && value.microsoft_tenant !== undefined) unwanted('microsoft_tenant')
  })

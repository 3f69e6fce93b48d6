import { type Description, error, json, list, object, ref, text } from '../kernel/http/openapi/openapi.ts'
import { RELATED_ORIGINS_PATH } from './related-origins.ts'
import { SCRIPT_PATH } from './script.ts'

export const webauthnDescription: Description = {
  tag: 'keys',
  operations: [
    {
      id: 'getWebAuthnJavaScript',
      method: 'get',
      path: SCRIPT_PATH,
      port: 'public',
      summary: 'The script that pages with security keys or passkeys load.',
      answers: {
        200: {
          description: 'The script.',
          content: { 'text/javascript': { schema: ref('webAuthnJavaScript') } },
        },
      },
    },
    {
      id: 'getWebAuthnRelatedOrigins',
      method: 'get',
      path: RELATED_ORIGINS_PATH,
      port: 'public',
      summary: 'The pages that may use keys of `rp.id`: those of `rp.origins`. To be served at that host.',
      answers: {
        200: json('Their origins.', object({ origins: list(text) })),
        404: error('None are configured.'),
      },
    },
  ],
  schemas: { webAuthnJavaScript: text },
}

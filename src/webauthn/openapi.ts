import { type Description, ref, text } from '../kernel/http/openapi/openapi.ts'
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
  ],
  schemas: { webAuthnJavaScript: text },
}

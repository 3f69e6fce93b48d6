import { type Description, OTHER_ERRORS, plain, text } from '../kernel/http/openapi/openapi.ts'
import { SCRIPT_PATH } from './script.ts'

export const webauthnDescription: Description = {
  tag: 'webauthn',
  operations: [
    {
      ...{ id: 'getWebAuthnJavaScript', method: 'get', path: SCRIPT_PATH, port: 'public' },
      summary: 'The script that pages with security keys or passkeys load.',
      answers: { 200: plain('The script.', 'text/javascript'), ...OTHER_ERRORS },
    },
  ],
  schemas: { webAuthnJavaScript: text },
}

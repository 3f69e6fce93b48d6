import {
  type Description,
  error,
  integer,
  json,
  map,
  needed,
  object,
  query,
  ref,
  text,
  time,
  uuid,
} from '../kernel/http/openapi/openapi.ts'

export const errorsDescription: Description = {
  tag: 'errors',
  operations: [
    {
      id: 'getFlowError',
      method: 'get',
      path: '/self-service/errors',
      port: 'public',
      summary: 'Shows an error that a browser was sent to the error page with.',
      parameters: [needed(query('id', 'Id of the error, from the URL of the page.'))],
      answers: {
        200: json('The error.', 'flowError'),
        403: error('The error is not for this browser.'),
        404: error('There is no such error.'),
        500: error('The server failed.'),
      },
    },
  ],
  schemas: {
    errorGeneric: object({ error: ref('genericError') }),
    genericError: object(
      { message: text },
      { id: text, code: integer, status: text, request: text, reason: text, details: map },
    ),
    errorBrowserLocationChangeRequired: object({}, { error: ref('genericError'), redirect_browser_to: text }),
    flowError: object({ id: uuid }, { error: map, created_at: time, updated_at: time }),
  },
}

import {
  anything,
  type Description,
  error,
  inPath,
  integer,
  json,
  list,
  nullable,
  OTHER_ERRORS,
  object,
  oneWord,
  PAGE_SIZE,
  PAGE_TOKEN,
  query,
  ref,
  text,
  time,
  uuid,
} from '../kernel/http/openapi/openapi.ts'

/** @see kratos/operations.md */
export const courierDescription: Description = {
  tag: 'courier',
  operations: [
    {
      id: 'listCourierMessages',
      method: 'get',
      path: '/admin/courier/messages',
      port: 'admin',
      summary: 'Lists messages to people, newest first. Their texts are shown in development mode only.',
      parameters: [
        PAGE_SIZE,
        PAGE_TOKEN,
        query('status', 'Only messages in this state.', ref('courierMessageStatus')),
        query('recipient', 'Only messages to this address or number, as it is stored.'),
      ],
      answers: {
        200: json('The messages; the `Link` header leads to other pages.', list(ref('message'))),
        400: error('A state that there is not, or a page that cannot be.'),
        ...OTHER_ERRORS,
      },
    },
    {
      id: 'getCourierMessage',
      method: 'get',
      path: '/admin/courier/messages/{id}',
      port: 'admin',
      summary: 'Shows one message and each try to send it.',
      parameters: [inPath('id', 'Id of the message.')],
      answers: {
        200: json('The message.', 'message'),
        400: error('The id is no UUID.'),
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    courierMessageStatus: oneWord('queued', 'sent', 'processing', 'abandoned'),
    message: object(
      {
        id: uuid,
        status: ref('courierMessageStatus'),
        type: oneWord('email', 'sms'),
        recipient: text,
        body: text,
        subject: text,
        template_type: text,
        send_count: integer,
        created_at: time,
        updated_at: time,
      },
      { channel: nullable(text), dispatches: list(ref('messageDispatch')) },
    ),
    messageDispatch: object(
      { id: uuid, message_id: uuid, status: oneWord('success', 'failed'), created_at: time, updated_at: time },
      { error: anything },
    ),
  },
}

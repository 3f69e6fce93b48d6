import { z } from 'zod'
import { key, section, sensitive } from './fields.ts'

const oauth2 = z
  .strictObject({
    user: z.string().min(1).optional(),
    token_file: z.string().min(1).optional(),
    token_url: z
      .string()
      .regex(/^https?:\/\//)
      .optional(),
    client_id: z.string().optional(),
    client_secret: sensitive(z.string()).optional(),
    scope: z.string().optional(),
  })
  .refine(
    (c) => (c.token_file === undefined) !== (c.token_url === undefined),
    'needs either token_file, or token_url with client_id and client_secret',
  )
  .refine(
    (c) => c.token_url === undefined || (c.client_id !== undefined && c.client_secret !== undefined),
    'token_url needs client_id and client_secret',
  )

export type SmtpOauth2 = z.output<typeof oauth2>

/** How messages leave, beyond `courier`. */
export const letheCourier = section({
  smtp: section({
    oauth2: key(
      oauth2.optional(),
      'Sign-in at the mail server with an access token (XOAUTH2) instead of a password. `token_file`: a file that another program keeps fresh, read for each mail. Or `token_url`, `client_id`, `client_secret`, `scope`: the client credentials of this server. `user`: the mailbox; unset: the user of `courier.smtp.connection_uri`.',
    ),
  }),
})

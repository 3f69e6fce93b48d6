import { z } from 'zod'
import { duration, integer, key, section, sensitive, unique } from './fields.ts'

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
  sms: section({
    cool_down: key(
      duration().prefault('30s'),
      'Time in which a number gets no second code of a kind by SMS, whichever flows ask for it: the code that was sent counts in each. A flow that has sent one sends another when it is told to. 0s: none, as in Kratos.',
    ),
    per_number: key(
      integer(0, 10_000).default(10),
      'SMS to one number in 24 hours, on all nodes together; beyond, the answer is 429. 0: no limit.',
    ),
    per_network: key(
      integer(0, 100_000).default(0),
      'SMS that one network (an IPv4 address, or a /64 of IPv6) asks for in an hour, whatever the numbers; beyond, the answer is 429. It does not count where the address is not known, as behind a proxy that `lethe.http.trusted_proxies` does not name. 0: no limit.',
    ),
    per_hour: key(
      integer(0, 100_000).default(0),
      'SMS to all numbers together in an hour: an upper bound of the bill. Beyond, the answer is 429, and the log says so as an error. 0: no limit.',
    ),
    allowed_prefixes: key(
      unique(z.string().regex(/^\+[1-9][0-9]{0,14}$/, 'must be the beginning of a number, as +49')).default([]),
      'Beginnings of the numbers that get SMS, as `+49`; others are refused. Empty: all.',
    ),
  }),
})

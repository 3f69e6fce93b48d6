import type { JsonObject } from '../identities/types.ts'

/** Names of the templates, as `courier_messages.template_type` has them. */
export type TemplateType =
  | 'recovery_valid'
  | 'recovery_invalid'
  | 'recovery_code_valid'
  | 'recovery_code_invalid'
  | 'verification_valid'
  | 'verification_invalid'
  | 'verification_code_valid'
  | 'verification_code_invalid'
  | 'login_code_valid'
  | 'registration_code_valid'
  /** not of Kratos, whose courier sends its plain text alone */
  | 'account_changed_valid'

export type Channel = 'email' | 'sms'

/** Messages of one request: a schema may allow a list of addresses, which a client fills with those of strangers. */
export const MOST_AT_ONCE = 10

/** A message that a flow wants sent. */
export interface Message {
  type: TemplateType
  channel: Channel
  /** address of mail or number of a telephone */
  recipient: string
  /** values of the template in the snake case of the stored row: `to`, `recovery_code`, `expires_in_minutes`, … */
  data: JsonObject
  /** allowed headers of the request that caused it; none for verification and links */
  requestHeaders?: Readonly<Record<string, readonly string[]>>
  /** that asked for it; undefined where it is unknown, or an operator asked */
  network?: string | undefined
}

/** The final texts of a message. Only mail has a subject. */
export interface Texts {
  subject: string
  body: string
}

export interface Templates {
  /** What is stored when the message is queued. */
  render(message: Message): Promise<Texts>
  /** The HTML part of a mail; it is rendered when the mail is sent, since the row has no column for it. */
  html(message: Message): Promise<string | undefined>
}

/** `courier_messages.status`, as Kratos numbers them. */
export const MESSAGE_STATUS = { queued: 1, sent: 2, processing: 3, abandoned: 4 } as const
export type MessageStatus = keyof typeof MESSAGE_STATUS

/** Which messages a list shows. */
export interface MessageFilter {
  recipient: string | undefined
  status: MessageStatus | undefined
}

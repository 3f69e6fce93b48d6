import type { Sender } from './channel.ts'

/** In development without a mail server: a message is shown in the log and on the mailbox page, and not sent. */
export function createDevSender(log: { info(details: object, message: string): void }): Sender {
  return {
    async send({ channel, recipient, subject, body }) {
      log.info({ to: recipient, subject, text: body }, `development mode: this ${channel} is shown and not sent`)
      return { result: 'sent' }
    },
  }
}

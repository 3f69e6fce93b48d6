import { domainToASCII } from 'node:url'
import MailComposer from 'nodemailer/lib/mail-composer'
import { encodeWord } from 'nodemailer/lib/mime-funcs'
import type { Outgoing } from './channel.ts'

export interface MailSettings {
  from: string
  fromName: string | undefined
  headers: Readonly<Record<string, string>>
  date: Date
}

/** An address as mail servers take it: the domain in its ASCII form; undefined where it cannot be one. */
export function mailAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not reach a line of SMTP
  if (at <= 0 || /[\u0000-\u0020<>\u007f]/.test(text)) return undefined
  const domain = domainToASCII(text.slice(at + 1))
  return domain === '' ? undefined : `${text.slice(0, at)}@${domain}`
}

/**
 * The message in MIME. Its id is the same for each try, so that a mailbox can recognise a duplicate; and
 * its headers keep vacation notices from answering.
 */
export async function mimeMessage(message: Outgoing, to: string, settings: MailSettings): Promise<Buffer> {
  const { from, fromName, headers, date } = settings
  const composer = new MailComposer({
    to: { name: '', address: to },
    subject: message.subject,
    text: message.body,
    ...(message.html === undefined ? {} : { html: message.html }),
    textEncoding: 'quoted-printable',
    messageId: `<${message.id}@${domainToASCII(from.slice(from.lastIndexOf('@') + 1)) || 'localhost'}>`,
    date,
    headers: { 'Auto-Submitted': 'auto-generated', ...headers },
    // texts come from the row: none may name a file or an address to read
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const built = await composer.compile().build()
  // The composer drops unneeded quotes; Kratos keeps them.
  return Buffer.concat([Buffer.from(`From: ${sender(from, fromName)}\r\n`), built])
}

function sender(address: string, name: string | undefined): string {
  if (!name) return address
  const shown = /^[\x20-\x7e]*$/.test(name) ? `"${name.replace(/[\\"]/g, '\\$&')}"` : encodeWord(name, 'Q', 52)
  return `${shown} <${address}>`
}

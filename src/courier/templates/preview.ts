import type { Channel, TemplateType } from '../types.ts'
import { KINDS } from './kinds.ts'
import { sampleMessage } from './samples.ts'
import type { MessageTemplates } from './templates.ts'

/** A message with made-up values, as it would be sent. */
export interface PreviewedMessage {
  template_type: TemplateType
  channel: Channel
  subject: string
  body: string
}

export interface Preview {
  messages: PreviewedMessage[]
  /** what is wrong with an operator's own templates, by their keys */
  doubts: MessageTemplates['doubts']
}

/** Every message that there is, with the templates in force. */
export async function previewAll(templates: MessageTemplates): Promise<Preview> {
  const messages = KINDS.flatMap((kind) => kind.channels.map((channel) => sampleMessage(kind, channel)))
  const rendered = messages.map(async (message) => ({
    template_type: message.type,
    channel: message.channel,
    ...(await templates.render(message)),
  }))
  return { messages: await Promise.all(rendered), doubts: templates.doubts }
}

/** The HTML part of a mail. @returns undefined for a message that there is not */
export async function previewHtml(templates: MessageTemplates, type: string): Promise<string | undefined> {
  const kind = KINDS.find((one) => one.type === type)
  return kind && templates.html(sampleMessage(kind, 'email'))
}

import { type LoadOptions, loadOptions } from '../../kernel/outbound/load.ts'
import { compile, type Template, TemplateError } from '../gotemplate/index.ts'
import type { Message, Templates, Texts } from '../types.ts'
import { builtinSource } from './builtin.ts'
import { templateData } from './data.ts'
import { KINDS, type Kind, type Part, partsOf } from './kinds.ts'
import { sampleMessage } from './samples.ts'
import { findSource, type Source, type TemplatesConfig, UnreadTemplate } from './sources.ts'

/** An operator's own text does not parse. The message names the key, the file and the line. */
export class MessageTemplateError extends Error {
  override readonly name = 'MessageTemplateError'
}

/** A fault of an operator's own text that does not prevent its use, or for which the built-in one is used meanwhile. */
export interface Doubt {
  key: string
  reason: string
}

/** An operator's own text could not be rendered; the built-in one was sent instead. */
export interface Failure {
  key: string
  error: TemplateError
}

/** The templates in force. Immutable: a reload replaces them. */
export interface MessageTemplates extends Templates {
  readonly doubts: readonly Doubt[]
}

interface Compiled {
  template: Template
  /** where it comes from; undefined for a built-in one */
  source?: Source
}

/** A template whose server is away is read again after so many milliseconds. */
const ASK_AGAIN_MS = 60_000

/**
 * Reads all templates. One whose server is away is replaced by the built-in one until it can be read, since a start must not
 * wait for another server; any other fault keeps the server from starting, as it would keep a message from being sent.
 *
 * @param cwd folder that relative addresses and `courier.template_override_path` start from
 * @param now milliseconds of a monotonic clock
 * @param onFailure called when an operator's text cannot be rendered for a message
 * @throws MessageTemplateError UnreadTemplate
 */
export async function createMessageTemplates(
  config: TemplatesConfig,
  cwd: string,
  now: () => number,
  onFailure: (failure: Failure) => void,
): Promise<MessageTemplates> {
  const options = loadOptions(config, cwd)
  const doubts: Doubt[] = []
  const known = new Map<string, Compiled>()
  const missing = new Map<string, number>()

  for (const kind of KINDS)
    for (const part of partsOf(kind)) {
      const compiled = await load(config, kind, part, options, (doubt) => doubts.push(doubt))
      if (compiled) known.set(`${kind.type} ${part}`, compiled)
      else missing.set(`${kind.type} ${part}`, now())
    }

  async function templateOf(type: Message['type'], part: Part): Promise<Compiled> {
    const name = `${type} ${part}`
    const asked = missing.get(name)
    if (asked !== undefined && now() - asked >= ASK_AGAIN_MS) {
      missing.set(name, now())
      const kind = KINDS.find((one) => one.type === type)!
      const compiled = await load(config, kind, part, options, () => undefined).catch(() => undefined)
      if (compiled) {
        known.set(name, compiled)
        missing.delete(name)
      }
    }
    return known.get(name) ?? builtin(type, part)
  }

  async function render(message: Message, part: Part): Promise<string> {
    const { model, members } = templateData(message)
    const { template, source } = await templateOf(message.type, part)
    try {
      return template.render(members, model)
    } catch (error) {
      if (!(error instanceof TemplateError) || !source) throw error
      // a fault that shows with some identities only must not keep them from their code
      onFailure({ key: source.key, error })
      return builtin(message.type, part).template.render(members, model)
    }
  }

  return {
    doubts,
    async render(message): Promise<Texts> {
      if (message.channel === 'sms') return { subject: '', body: await render(message, 'sms') }
      const subject = oneLine(await render(message, 'subject'))
      return { subject, body: await render(message, 'plaintext') }
    },
    html: async (message) => (message.channel === 'sms' ? undefined : render(message, 'html')),
  }
}

/** A subject is a header: a line break from a trait would begin another one. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

/** @returns undefined where it cannot be read at the moment */
async function load(
  config: TemplatesConfig,
  kind: Kind,
  part: Part,
  options: LoadOptions,
  doubt: (doubt: Doubt) => void,
): Promise<Compiled | undefined> {
  let source: Source | undefined
  try {
    source = await findSource(config, kind, part, options)
  } catch (error) {
    if (!(error instanceof UnreadTemplate) || !error.transient) throw error
    doubt({ key: error.key, reason: `${error.message}; the built-in text is sent until it can be read` })
    return undefined
  }
  if (!source) return builtin(kind.type, part)
  const compiled = { source, template: read(source, part) }
  const reason = faultWithSample(compiled.template, kind, part)
  if (reason !== undefined)
    doubt({ key: source.key, reason: `${source.where} may fail when a message is sent: ${reason}` })
  return compiled
}

function read({ key, where, files, main }: Source, part: Part): Template {
  try {
    return compile(files[main]!, { name: main, templates: files, html: part === 'html' })
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw new MessageTemplateError(`${key} (${where}): ${error.message}`, { cause: error })
  }
}

/** The fault of a rendering with sample data; a template that needs more than the sample has may still be right. */
function faultWithSample(template: Template, kind: Kind, part: Part): string | undefined {
  const { model, members } = templateData(sampleMessage(kind, part === 'sms' ? 'sms' : 'email'))
  try {
    template.render(members, model)
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}

const builtins = new Map<string, Compiled>()

function builtin(type: Message['type'], part: Part): Compiled {
  const name = `${type} ${part}`
  let compiled = builtins.get(name)
  if (!compiled) {
    compiled = {
      template: compile(builtinSource(type, part), { name: `${type} (built-in ${part})`, html: part === 'html' }),
    }
    builtins.set(name, compiled)
  }
  return compiled
}

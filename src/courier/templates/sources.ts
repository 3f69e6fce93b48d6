import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../../config/schema/schema.ts'
import type { HttpClientConfig } from '../../kernel/outbound/guard.ts'
import { type LoadOptions, loadText, MAX_DOCUMENT_BYTES, shortUrl } from '../../kernel/outbound/load.ts'
import { type Kind, type Part, PLACES } from './kinds.ts'

/** The parts of the configuration that say where texts are. */
export interface TemplatesConfig extends HttpClientConfig {
  courier: Pick<Config['courier'], 'templates' | 'template_override_path'>
}

/** Files of one part that are read together. */
const MAX_FILES = 100

/** An operator's own text of a part. */
export interface Source {
  /** key of the configuration that names it */
  key: string
  /** for people: the file or the address */
  where: string
  /** by the names that templates know them by; one of them is `main` */
  files: Readonly<Record<string, string>>
  main: string
}

/** It cannot be read. */
export class UnreadTemplate extends Error {
  override readonly name = 'UnreadTemplate'
  readonly key: string
  /** A later try may succeed: its server is away. */
  readonly transient: boolean

  constructor(key: string, where: string, reason: string, transient: boolean) {
    super(`${key}: ${where} ${reason}`)
    this.key = key
    this.transient = transient
  }
}

/**
 * Finds the operator's own text of a part: an address in the configuration, or else a file in the folder.
 *
 * @returns undefined where there is none
 * @throws UnreadTemplate
 */
export async function findSource(
  config: TemplatesConfig,
  kind: Kind,
  part: Part,
  options: LoadOptions,
): Promise<Source | undefined> {
  const key = `courier.templates.${kind.name}.${kind.outcome}.${PLACES[part].key}`
  const url = urlOf(config, kind, part)
  if (url === undefined) return inFolder(config.courier.template_override_path, kind, part, options.cwd)
  const where = shortUrl(url)
  try {
    const name = url.startsWith('file://') ? url.slice(url.lastIndexOf('/') + 1) : PLACES[part].file
    return { key, where, main: name, files: { [name]: await loadText(url, options) } }
  } catch (error) {
    throw new UnreadTemplate(key, where, (error as Error).message, /^https?:/i.test(url))
  }
}

function urlOf(config: TemplatesConfig, { name, outcome }: Kind, part: Part): string | undefined {
  const messages = config.courier.templates?.[name as keyof NonNullable<Config['courier']['templates']>]
  const texts = messages?.[outcome as 'valid']
  if (part === 'sms') return texts?.sms?.body?.plaintext
  return part === 'subject' ? texts?.email.subject : texts?.email.body?.[part]
}

async function inFolder(folder: string | undefined, kind: Kind, part: Part, cwd: string): Promise<Source | undefined> {
  if (folder === undefined) return undefined
  const key = 'courier.template_override_path'
  const path = resolve(cwd, folder, kind.name, kind.outcome)
  const { file, pattern } = PLACES[part]
  const where = join(folder, kind.name, kind.outcome, file)
  try {
    const names = (await readdir(path)).filter((name) => name.startsWith(pattern)).sort()
    if (!names.includes(file)) return undefined
    if (names.length > MAX_FILES)
      throw new Error(`stands beside more than ${MAX_FILES} files that would be read with it`)
    const texts = await Promise.all(names.map(async (name) => [name, await readTemplate(join(path, name))] as const))
    return {
      key,
      where,
      main: file,
      files: Object.fromEntries(texts.filter(([, text]) => text !== undefined)) as Record<string, string>,
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new UnreadTemplate(key, where, code === undefined ? message : `cannot be read: ${message}`, false)
  }
}

/** @returns undefined for a folder */
async function readTemplate(path: string): Promise<string | undefined> {
  const found = await stat(path)
  if (found.isDirectory()) return undefined
  if (found.size > MAX_DOCUMENT_BYTES) throw new Error(`is larger than ${MAX_DOCUMENT_BYTES} bytes`)
  return (await readFile(path, 'utf8')).replace(/^\ufeff/, '')
}

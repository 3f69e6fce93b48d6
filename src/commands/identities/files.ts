import { readFile } from 'node:fs/promises'
import { readJson } from '../../kernel/base/exact-json.ts'
import { Failure } from '../kit/errors.ts'
import type { Io } from '../kit/io.ts'

/** One identity of a file, and its name in messages: the file, with its position when the file holds a list. */
export interface FileIdentity {
  source: string
  value: unknown
}

/** Reads JSON files that hold one identity or a list each; without files, stdin. @throws Failure */
export async function readIdentities(io: Io, files: readonly string[]): Promise<FileIdentity[]> {
  if (files.length === 0) return entriesOf('STD_IN', await textOf(io.stdin))
  const found: FileIdentity[] = []
  for (const file of files) found.push(...entriesOf(file, await readText(file)))
  return found
}

function entriesOf(source: string, text: string): FileIdentity[] {
  let value: unknown
  try {
    value = readJson(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new Failure(`${source}: Could not parse identity: ${(error as Error).message}`)
  }
  if (!Array.isArray(value)) return [{ source, value }]
  return value.map((entry, index) => ({ source: `${source}[${index}]`, value: entry }))
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(`${file}: cannot be read: ${code === 'ENOENT' ? 'no such file' : code}`)
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Json } from '../types.ts'
import { type FetchRules, fetchText } from './fetch.ts'

/** A schema is a few KiB; Kratos stops at 1 MiB too. */
export const MAX_SCHEMA_BYTES = 1024 * 1024

export interface LoadOptions extends FetchRules {
  /** `file://./x` and `file://x` are relative to this directory, not to the configuration file */
  cwd: string
}

/**
 * Reads the JSON document at a `file://`, `base64://`, `http://` or `https://` address.
 * @throws Error that says what went wrong, without the address
 */
export async function loadJson(url: string, options: LoadOptions): Promise<Json> {
  const text = await loadText(url, options)
  if (Buffer.byteLength(text) > MAX_SCHEMA_BYTES) throw new Error(`is larger than ${MAX_SCHEMA_BYTES} bytes`)
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) as Json
  } catch (cause) {
    throw new Error(`is not JSON: ${(cause as Error).message}`, { cause })
  }
}

async function loadText(url: string, options: LoadOptions): Promise<string> {
  const [scheme, rest = ''] = url.split(/:\/\/(.*)/s)
  switch (scheme?.toLowerCase()) {
    case 'file':
      return readFile(resolve(options.cwd, decodePath(rest)), 'utf8').catch((cause: NodeJS.ErrnoException) => {
        throw new Error(`cannot be read: ${cause.code === 'ENOENT' ? 'no such file' : cause.message}`, { cause })
      })
    case 'base64':
      return decodeBase64(rest)
    case 'http':
    case 'https':
      return fetchText(url, MAX_SCHEMA_BYTES, options)
    default:
      throw new Error('has no scheme that can be read: use file://, base64://, http:// or https://')
  }
}

/** `%20` and its like, unless the name holds a bare percent sign. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function decodeBase64(text: string): string {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new Error('is not base64')
  return Buffer.from(text, 'base64').toString('utf8')
}

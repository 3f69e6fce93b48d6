import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readJson } from '../base/exact-json.ts'
import { type FetchRules, fetchText } from './fetch.ts'
import { addressRules, type HttpClientConfig } from './guard.ts'

/** Configured documents have a few KiB; Kratos stops at 1 MiB too. */
export const MAX_DOCUMENT_BYTES = 1024 * 1024

export interface LoadOptions extends FetchRules {
  /** `file://./x` and `file://x` are relative to this directory, not to the configuration file */
  cwd: string
}

export function loadOptions(config: HttpClientConfig, cwd: string): LoadOptions {
  return { cwd, ...addressRules(config) }
}

/**
 * Reads the JSON document at a `file://`, `base64://`, `http://` or `https://` address.
 * @throws Error that says what went wrong, without the address
 */
export async function loadJson(url: string, options: LoadOptions): Promise<unknown> {
  return parseJson(await loadText(url, options))
}

/** @throws Error that says what went wrong, without the address */
export function parseJson(text: string): unknown {
  try {
    return readJson(text)
  } catch (cause) {
    throw new Error(`is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Reads the text at an address, at most `MAX_DOCUMENT_BYTES` of it, without its byte order mark.
 * @throws Error that says what went wrong, without the address
 */
export async function loadText(url: string, options: LoadOptions): Promise<string> {
  const text = await read(url, options)
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) throw new Error(`is larger than ${MAX_DOCUMENT_BYTES} bytes`)
  return text.replace(/^\ufeff/, '')
}

async function read(url: string, options: LoadOptions): Promise<string> {
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
      return fetchText(url, MAX_DOCUMENT_BYTES, options)
    default:
      throw new Error('has no scheme that can be read: use file://, base64://, http:// or https://')
  }
}

/** An address for messages: without user and password, and with its base64 shortened. */
export function shortUrl(url: string): string {
  if (url.startsWith('base64://')) return 'base64://…'
  return url.replace(/\/\/[^/@]*@/, '//')
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

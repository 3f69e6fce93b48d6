import { type LoadOptions, loadJson as load } from '../../kernel/outbound/load.ts'
import type { Json } from '../types.ts'

/**
 * Reads the JSON document at a `file://`, `base64://`, `http://` or `https://` address.
 * @throws Error that says what went wrong, without the address
 */
export async function loadJson(url: string, options: LoadOptions): Promise<Json> {
  return (await load(url, options)) as Json
}

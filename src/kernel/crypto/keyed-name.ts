import { createHmac } from 'node:crypto'

/**
 * A short name for something that a table counts: neither its length nor its content shows.
 * @param parts the purpose first, so that no name stands for two things
 */
export const keyedName = (serverSecret: Uint8Array, ...parts: [purpose: string, ...string[]]): string =>
  createHmac('sha256', serverSecret).update(parts.join('\0')).digest('base64url').slice(0, 27)

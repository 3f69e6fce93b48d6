import type { FastifyRequest } from 'fastify'

export interface DeviceFacts {
  ip_address: string
  user_agent: string | null
  location: string
}

const MAX_TEXT_BYTES = 512

function header(req: FastifyRequest, name: string): string {
  const value = req.headers[name]
  return (Array.isArray(value) ? value[0] : value)?.trim() ?? ''
}

/** Cuts at a character boundary; NUL cannot be stored. Header bytes arrive as Latin-1 and are really UTF-8. */
function cutBytes(text: string, max: number): string {
  const bytes = Buffer.from(text, 'latin1')
  const utf8 = new TextDecoder().decode(bytes.subarray(0, max)).replaceAll('\0', '')
  return utf8.endsWith('\uFFFD') && bytes.length > max ? utf8.replace(/\uFFFD+$/, '') : utf8
}

/**
 * The device that is stored at sign-in. Kratos takes addresses and places from any client, so that a thief can seem to sign in
 * from the owner's town; here only a configured proxy may set them.
 */
export function deviceFacts(req: FastifyRequest): DeviceFacts {
  const { address, port, believed } = req.client
  const place = believed
    ? ['cf-ipcity', 'cf-ipcountry'].map((name) => header(req, name)).filter((part) => part !== '')
    : []
  return {
    // The peer as Kratos stores it: with its port.
    ip_address:
      port === undefined || address === '' ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`,
    user_agent: req.headers['user-agent'] === undefined ? null : cutBytes(header(req, 'user-agent'), MAX_TEXT_BYTES),
    location: cutBytes(place.join(', '), MAX_TEXT_BYTES),
  }
}

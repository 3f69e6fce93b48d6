/**
 * HMAC-MD4 (RFC 1320, RFC 2104), which OpenSSL 3 no longer offers. Only for imported `$hmac-md4$` hashes.
 */
export function hmacMd4(key: Uint8Array, message: Uint8Array): Buffer {
  const block = Buffer.alloc(64)
  block.set(key.length > 64 ? md4(key) : key)
  const inner = md4(Buffer.concat([block.map((byte) => byte ^ 0x36), message]))
  return md4(Buffer.concat([block.map((byte) => byte ^ 0x5c), inner]))
}

const MIX = [
  (x: number, y: number, z: number) => (x & y) | (~x & z),
  (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z),
  (x: number, y: number, z: number) => x ^ y ^ z,
] as const
const CONSTANT = [0, 0x5a827999, 0x6ed9eba1] as const
const ROTATE = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const
const ORDER = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const

export function md4(message: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  padded.writeBigUInt64LE(BigInt(message.length) * 8n, padded.length - 8)
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476])
  for (let at = 0; at < padded.length; at += 64) compress(state, padded.subarray(at, at + 64))
  const out = Buffer.alloc(16)
  for (const [i, word] of state.entries()) out.writeUInt32LE(word, i * 4)
  return out
}

function compress(state: Uint32Array, block: Buffer): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  for (const [round, order] of ORDER.entries()) {
    for (const [step, word] of order.entries()) {
      const sum = (a + MIX[round]!(b, c, d) + block.readUInt32LE(word * 4) + CONSTANT[round]!) | 0
      const turn = ROTATE[round]![step % 4]!
      const next = (sum << turn) | (sum >>> (32 - turn))
      a = d
      d = c
      c = b
      b = next
    }
  }
  for (const [i, word] of [a, b, c, d].entries()) state[i] = state[i]! + word
}

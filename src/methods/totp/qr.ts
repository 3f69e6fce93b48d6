import { crc32, deflateSync } from 'node:zlib'
import { encodeQR } from 'qr'

const SIZE = 256
/** Light modules around the code, without which many phones do not find it. */
const QUIET = 4

/** A QR code as `data:image/png`, 256 pixels square. */
export function qrImage(text: string): string {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET })
  const scale = Math.max(1, Math.floor(SIZE / modules.length))
  const margin = Math.floor((SIZE - scale * modules.length) / 2)
  const isDark = (x: number, y: number) =>
    modules[Math.floor((y - margin) / scale)]?.[Math.floor((x - margin) / scale)] === true
  return `data:image/png;base64,${png(isDark).toString('base64')}`
}

/** One bit a pixel, grey, no filter. @see https://www.w3.org/TR/png-3/ */
function png(isDark: (x: number, y: number) => boolean): Buffer {
  const row = SIZE / 8 + 1
  const pixels = Buffer.alloc(SIZE * row, 0xff)
  for (let y = 0; y < SIZE; y += 1) {
    pixels[y * row] = 0
    for (let x = 0; x < SIZE; x += 1) if (isDark(x, y)) pixels[y * row + 1 + (x >> 3)]! &= ~(0x80 >> (x & 7))
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIZE, 0)
  header.writeUInt32BE(SIZE, 4)
  header[8] = 1
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

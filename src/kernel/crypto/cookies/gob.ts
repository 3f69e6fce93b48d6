/**
 * The part of Go's gob format that session cookies use: one map from interface to interface with string entries.
 * @see https://pkg.go.dev/encoding/gob#hdr-Encoding_Details
 */

/** Any id from 65 up is accepted by the Go reader (65, 127, 128, 200, 40000 were sent to a real server). */
const TYPE_ID = 65
/** The predefined id of "interface", spelled as a gob int. */
const INTERFACE = 0x10
const STRING_ID = 6

/** Encodes string entries as Kratos's session cookie does. */
export function encodeGobMap(values: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(values)
  const definition = [int(-TYPE_ID), mapDefinition(TYPE_ID)]
  const body = [int(TYPE_ID), Buffer.of(0), uint(entries.length)]
  for (const [key, value] of entries) body.push(stringEntry(key), stringEntry(value))
  return Buffer.concat([message(definition), message(body)])
}

/**
 * Reads what `encodeGobMap` or a Go program wrote. Entries that are not string to string are skipped.
 * Never throws: garbage, truncation and any other type give undefined. Work is linear in the input.
 */
export function decodeGobMap(data: Uint8Array): Record<string, string> | undefined {
  try {
    return readStream(new Reader(Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

function readStream(stream: Reader): Record<string, string> {
  const mapIds = new Set<number>()
  for (;;) {
    const body = stream.slice(stream.uint())
    const id = body.int()
    if (id >= 0) {
      // A value of a type that was not announced as such a map: a plain string, a struct.
      if (!mapIds.has(id)) throw new Malformed()
      return readMap(body)
    }
    if (body.rest().equals(mapDefinition(-id))) mapIds.add(-id)
  }
}

function readMap(body: Reader): Record<string, string> {
  if (body.uint() !== 0) throw new Malformed()
  const entries: [string, string][] = []
  for (let left = body.uint(); left > 0; left--) {
    const key = readInterface(body)
    const value = readInterface(body)
    if (key !== undefined && value !== undefined) entries.push([key, value])
  }
  if (!body.atEnd()) throw new Malformed()
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  return Object.fromEntries(entries)
}

/** The string inside, or undefined for a value of any other type, which is skipped by its length. */
function readInterface(body: Reader): string | undefined {
  const typeName = body.string()
  if (typeName === '') return undefined
  const typeId = body.int()
  const content = body.slice(body.uint())
  if (typeName !== 'string') return undefined
  if (typeId !== STRING_ID || content.uint() !== 0) throw new Malformed()
  const text = content.string()
  if (!content.atEnd()) throw new Malformed()
  return text
}

class Malformed extends Error {}

class Reader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  uint(): number {
    const first = this.take(1)[0]!
    if (first < 0x80) return first
    const width = 256 - first
    // Six bytes stay within safe integers; no length or id of a 4 KiB cookie needs more than two.
    if (width > 6) throw new Malformed()
    return this.take(width).readUIntBE(0, width)
  }

  int(): number {
    const raw = this.uint()
    return raw % 2 === 0 ? raw / 2 : -(raw - 1) / 2 - 1
  }

  string(): string {
    return this.take(this.uint()).toString('utf8')
  }

  slice(length: number): Reader {
    return new Reader(this.take(length))
  }

  rest(): Buffer {
    return this.take(this.bytes.length - this.at)
  }

  atEnd(): boolean {
    return this.at === this.bytes.length
  }

  private take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw new Malformed()
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

function uint(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value)
  let width = 1
  while (width < 6 && value >= 256 ** width) width++
  const bytes = Buffer.alloc(1 + width)
  bytes[0] = 256 - width
  bytes.writeUIntBE(value, 1, width)
  return bytes
}

function int(value: number): Buffer {
  return uint(value >= 0 ? value * 2 : (-value - 1) * 2 + 1)
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  return Buffer.concat([uint(bytes.length), bytes])
}

function message(parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([uint(body.length), body])
}

/** Wire type field 4 (map): common type with only its id set, key and element type interface. */
function mapDefinition(id: number): Buffer {
  return Buffer.concat([Buffer.of(4, 1, 2), int(id), Buffer.of(0, 1, INTERFACE, 1, INTERFACE, 0, 0)])
}

function stringEntry(text: string): Buffer {
  const content = Buffer.concat([Buffer.of(0), string(text)])
  return Buffer.concat([string('string'), int(STRING_ID), uint(content.length), content])
}

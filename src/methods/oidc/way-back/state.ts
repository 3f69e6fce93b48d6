import { createHash } from 'node:crypto'
import type { Cipher, CipherAlgorithm } from '../../../kernel/crypto/cipher.ts'
import { createSeal } from '../../../kernel/crypto/seal.ts'
import type { Random } from '../../../kernel/crypto/tokens.ts'

/** The flows that use providers, by their number in a state. */
const KINDS = [undefined, 'login', 'registration', 'settings'] as const
export type StateKind = Exclude<(typeof KINDS)[number], undefined>

/** The state parameter that the browser brings back from the provider. */
export interface State {
  flowId: string
  kind: StateKind
  provider: string
  /** of PKCE; undefined without */
  verifier: string | undefined
  /** SHA-512 of the code with which an app gets its session, else 16 random bytes */
  binding: Buffer
}

export interface States {
  write(state: State): string
  /** @returns undefined for a text that was not written with our secrets */
  read(text: string): State | undefined
}

export interface StateDeps {
  algorithm(): CipherAlgorithm
  cipher: Cipher
  /** encrypt what the cipher would leave readable; the first writes, all read */
  secrets(): readonly string[]
  random: Random
}

/** A state is some 150 bytes in hex, more with a long name of a provider. */
const MAX_LENGTH = 4096

/**
 * States in the format of Kratos, so that either server can finish what the other began. Except for its default
 * cipher, which leaves the PKCE verifier readable in an address: such states are read, and written encrypted.
 */
export function createStates(d: StateDeps): States {
  const seal = createSeal('lethe provider state', d.secrets, d.random)
  return {
    write(state) {
      const bytes = encode(state)
      return (d.algorithm() === 'noop' ? seal.close(bytes) : undefined) ?? d.cipher.encrypt(bytes)
    },
    read(text) {
      if (text.length > MAX_LENGTH || !/^(?:[0-9a-f]{2})+$/.test(text)) return undefined
      const bytes = seal.open(Buffer.from(text, 'hex')) ?? d.cipher.decrypt(text)
      return bytes && decode(bytes)
    },
  }
}

export const bindingOf = (initCode: string): Buffer => createHash('sha512').update(initCode).digest()

/** @see https://protobuf.dev/programming-guides/encoding/ */
function encode({ flowId, kind, provider, verifier, binding }: State): Buffer {
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes])
  return Buffer.concat([
    field(1, Buffer.from(flowId.replaceAll('-', ''), 'hex')),
    field(2, binding),
    field(3, Buffer.from(provider)),
    ...(verifier === undefined ? [] : [field(4, Buffer.from(verifier))]),
    Buffer.from([5 << 3, KINDS.indexOf(kind)]),
  ])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

function decode(bytes: Buffer): State | undefined {
  const fields = new Map<number, Buffer | number>()
  const at = { offset: 0 }
  while (at.offset < bytes.length) {
    const tag = readVarint(bytes, at)
    const value = readVarint(bytes, at)
    if (tag === undefined || value === undefined) return undefined
    if ((tag & 7) === 0) fields.set(tag >>> 3, value)
    else if ((tag & 7) === 2 && value <= bytes.length - at.offset) {
      fields.set(tag >>> 3, bytes.subarray(at.offset, at.offset + value))
      at.offset += value
    } else return undefined
  }
  const kind = KINDS[Number(fields.get(5) ?? 0)]
  const flow = bytesOf(fields.get(1))
  if (kind === undefined || flow?.length !== 16) return undefined
  return {
    flowId: flow.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    kind,
    provider: bytesOf(fields.get(3))?.toString() ?? '',
    verifier: bytesOf(fields.get(4))?.toString() || undefined,
    binding: bytesOf(fields.get(2)) ?? Buffer.alloc(0),
  }
}

const bytesOf = (value: Buffer | number | undefined) => (typeof value === 'object' ? value : undefined)

/** No number in a state needs more than four bytes. */
function readVarint(bytes: Buffer, at: { offset: number }): number | undefined {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at.offset]
    if (byte === undefined) return undefined
    at.offset += 1
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  return undefined
}

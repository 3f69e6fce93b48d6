const SCOPE = 'com.lyndir.masterpassword'

/** Shapes of passwords, one letter for a class of characters. */
const SHAPES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    maximum: 'anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno',
    long:
      'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
      'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
      'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno',
    medium: 'CvcnoCvc CvcCvcno',
    short: 'Cvcn',
    basic: 'aaanaaan aannaaan aaannaaa',
    pin: 'nnnn',
  }).map(([type, shapes]) => [type, shapes.split(' ')]),
)

const CLASSES: Record<string, string> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
}

/** The algorithm of Master Password. @see https://spectre.app/spectre-algorithm.pdf */
export function derivedPassword(
  counter: number,
  type: string,
  user: string,
  site: string,
  { key, seed }: { key(salt: Buffer): Buffer; seed(key: Buffer, message: Buffer): Buffer },
): string {
  const shapes = SHAPES.get(type)
  if (!shapes) return `cannot find password template ${type}`
  const scope = Buffer.from(SCOPE)
  const master = key(Buffer.concat([scope, withLength(user)]))
  const bytes = seed(master, Buffer.concat([scope, withLength(site), uint32(counter)]))
  const shape = shapes[bytes[0]! % shapes.length]!
  return [...shape].map((letter, i) => CLASSES[letter]![bytes[i + 1]! % CLASSES[letter]!.length]).join('')
}

function withLength(text: string): Buffer {
  return Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)])
}

function uint32(n: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(n >>> 0)
  return bytes
}

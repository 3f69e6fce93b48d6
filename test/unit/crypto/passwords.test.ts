import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, platform } from 'node:os'
import { describe, it } from 'node:test'
import { dummyArgon2 } from '../../../src/kernel/crypto/passwords/argon2.ts'
import { dummyBcrypt } from '../../../src/kernel/crypto/passwords/bcrypt.ts'
import type { HasherSettings } from '../../../src/kernel/crypto/passwords/passwords.ts'
import { createHasher, HashingBusy, PasswordTooLong } from '../../../src/kernel/crypto/passwords/passwords.ts'
import { boundedQueue } from '../../../src/kernel/crypto/passwords/queue.ts'
import { cheapHasherSettings, testHasher } from '../../helpers/hasher.ts'
import { readFixture } from './fixture.ts'

const { hashes } = readFixture<{ hashes: { id: string; password: string; hash: string }[] }>('passwords.json')
const hasher = testHasher()
const argon2 = testHasher({ algorithm: 'argon2' })

describe('stored hashes of every family', () => {
  it('are all in the fixture', () => assert.equal(hashes.length, 53))

  for (const { id, password, hash } of hashes) {
    it(id, async () => {
      assert.ok(hasher.knows(hash))
      assert.ok(await hasher.verify(password, hash))
      assert.ok(!(await hasher.verify(`${password}x`, hash)), 'one letter more')
      assert.ok(!(await hasher.verify(password === '' ? ' ' : '', hash)), 'nothing')
    })
  }
})

describe('hashes that are not believed', () => {
  const salt = 'Zml4dHVyZS1zYWx0LTAxNg'
  const key = '3oxwWkgC6Jsauh8IU2WWIeMI7qfnUv9LU8+fOA40Vt4'
  const cases: Record<string, string> = {
    'no hash': '',
    'unknown family': '$future$abc$def',
    'endless text': `$md5$${'A'.repeat(100_000)}`,
    'bcrypt that would take minutes': `$2a$31$${'a'.repeat(53)}`,
    'bcrypt beyond its own range': `$2a$03$${'a'.repeat(53)}`,
    'bcrypt of the faulty kind': `$2x$04$${'a'.repeat(53)}`,
    'argon2 with 2 GiB': `$argon2id$v=19$m=2097152,t=1,p=1$${salt}$${key}`,
    'argon2 with a million passes': `$argon2id$v=19$m=65536,t=1000000,p=1$${salt}$${key}`,
    'argon2 without lanes': `$argon2id$v=19$m=65536,t=1,p=0$${salt}$${key}`,
    'argon2 of the older version': `$argon2id$v=16$m=65536,t=1,p=1$${salt}$${key}`,
    argon2d: `$argon2d$v=19$m=65536,t=1,p=1$${salt}$${key}`,
    'argon2 with a stray letter': `$argon2id$v=19$m=65536,t=1,p=1$${salt}$${key}!`,
    'pbkdf2 with too many iterations': `$pbkdf2-sha256$i=10000001,l=32$${salt}$${key}`,
    'pbkdf2 with as many for each of several blocks': `$pbkdf2-sha1$i=6000000,l=32$${salt}$${key}`,
    'pbkdf2 without iterations': `$pbkdf2-sha256$i=0,l=32$${salt}$${key}`,
    'pbkdf2 with an empty hash, which everything fits': `$pbkdf2-sha256$i=1000,l=32$${salt}$`,
    'pbkdf2 of an unknown digest': `$pbkdf2-sha999$i=1000,l=32$${salt}$${key}`,
    'scrypt with 1 GiB': `$scrypt$ln=1048576,r=8,p=1$${salt}==$${key}=`,
    'scrypt with a thousand lanes': `$scrypt$ln=131072,r=8,p=1000$${salt}==$${key}=`,
    'scrypt with N not a power of two': `$scrypt$ln=1025,r=8,p=1$${salt}==$${key}=`,
    'scrypt with an empty hash': `$scrypt$ln=1024,r=8,p=1$${salt}==$`,
    'firescrypt with 2^30': `$firescrypt$ln=30,r=8,p=1$${salt}==$${key}=$Bw==$${key}=`,
    'firescrypt whose key has another length': `$firescrypt$ln=10,r=8,p=1$${salt}==$${key}=$Bw==$Bw==`,
    'sha256 whose template lacks the password': `$sha256$pf=e1NBTFR9$${salt}==$${key}=`,
    'sha256 whose template repeats the password': `$sha256$pf=${btoa('{PASSWORD}'.repeat(9))}$${salt}==$${key}=`,
    'sha256 with a short hash': `$sha256$pf=e1BBU1NXT1JEfQ==$${salt}==$Bw==`,
    'SSHA without a salt': `{SSHA256}${key}=`,
    'hmac of an unknown digest': `$hmac-sha999$Bw==$Bw==`,
    'sha512-crypt with too many rounds': `$sha512-crypt$rounds=1000001$salt$${'a'.repeat(86)}`,
    'sha512-crypt with the hash of sha256-crypt': `$sha512-crypt$salt$${'a'.repeat(43)}`,
  }
  for (const [name, hash] of Object.entries(cases)) {
    it(name, async () => {
      assert.ok(!hasher.knows(hash))
      assert.ok(!(await hasher.verify('', hash)))
    })
  }

  it('own parameters beyond those bounds are believed', () => {
    const generous = testHasher({ argon2: { ...cheapHasherSettings.argon2, memory: 2 ** 31 } })
    assert.ok(generous.knows(cases['argon2 with 2 GiB']!))
  })

  it('what costs as much as those bounds allow is', () => {
    assert.ok(hasher.knows(`$pbkdf2-sha256$i=10000000,l=32$${salt}$${key}`))
    assert.ok(hasher.knows(`$pbkdf2-sha1$i=5000000,l=32$${salt}$${key}`))
    assert.ok(hasher.knows(`$sha256$pf=${btoa('{PASSWORD}'.repeat(8))}$${salt}==$${key}=`))
  })
})

describe('new hashes', () => {
  it('are bcrypt as Kratos writes it', async () => {
    const hash = await hasher.hash('pässword')
    assert.match(hash, /^\$2a\$04\$[./A-Za-z0-9]{53}$/)
    assert.ok(await hasher.verify('pässword', hash))
    assert.notEqual(await hasher.hash('pässword'), hash)
  })

  it('raise a bcrypt cost below 12 unless in development mode', async () => {
    const production = testHasher({ dev: false })
    assert.match(await production.hash('password'), /^\$2a\$12\$/)
  })

  it('are argon2id with the configured parameters', async () => {
    const hash = await argon2.hash('pässword')
    assert.match(hash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.ok(await argon2.verify('pässword', hash))
  })

  it('follow a reload of the configuration', async () => {
    let settings: HasherSettings = cheapHasherSettings
    const live = createHasher(() => settings, { random: randomBytes })
    settings = { ...settings, algorithm: 'argon2' }
    assert.match(await live.hash('password'), /^\$argon2id\$/)
  })

  it('by bcrypt need a password of at most 72 bytes, and none longer fits', async () => {
    const [limit, longer] = ['ä'.repeat(36), `${'ä'.repeat(36)}x`]
    const hash = await hasher.hash(limit)
    assert.ok(await hasher.verify(limit, hash))
    assert.ok(!(await hasher.verify(longer, hash)))
    await assert.rejects(hasher.hash(longer), (e) => e instanceof PasswordTooLong && e.actualLength === 73)
    assert.ok(await argon2.verify(longer, await argon2.hash(longer)))
  })
})

describe('needsRehash', () => {
  it('asks for the configured family', async () => {
    const own = await hasher.hash('password')
    assert.ok(!hasher.needsRehash(own))
    assert.ok(argon2.needsRehash(own))
    assert.ok(hasher.needsRehash(await argon2.hash('password')))
    assert.ok(argon2.needsRehash('$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8'))
    assert.ok(hasher.needsRehash('$md5$CY9rzUYh03PK3k6DJie09g=='))
  })

  it('asks for more when the stored parameters are weaker, not when they are stronger', async () => {
    const stronger = testHasher({ bcrypt: { cost: 5 } })
    assert.ok(stronger.needsRehash(await hasher.hash('password')))
    assert.ok(!hasher.needsRehash(await stronger.hash('password')))
    const wider = testHasher({ algorithm: 'argon2', argon2: { ...cheapHasherSettings.argon2, memory: 128 * 1024 } })
    assert.ok(wider.needsRehash(await argon2.hash('password')))
    assert.ok(!argon2.needsRehash(await wider.hash('password')))
  })
})

/** Processor time of one call, of all threads: however busy the machine is, it is the work that counts. */
async function cost(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

async function costs(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < times; i++) all.push(await cost(work))
  return all.sort((a, b) => a - b)
}

describe('work for an unknown identifier', () => {
  it('is done on a hash with exactly the configured parameters', () => {
    const settings = { ...cheapHasherSettings, dev: false }
    const [bcrypt, ...more] = dummyBcrypt(settings, randomBytes)
    assert.deepEqual(more, [])
    assert.match(bcrypt!, /^\$2a\$12\$/)
    assert.match(dummyArgon2(settings, randomBytes), /^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
    assert.ok(hasher.knows(bcrypt!))
    assert.ok(hasher.knows(dummyArgon2(settings, randomBytes)))
  })

  it('runs for both algorithms and any password', async () => {
    for (const password of ['', 'password', 'x'.repeat(100), 'a\0b']) {
      await hasher.dummyVerify(password)
      await argon2.dummyVerify(password)
    }
  })

  const bcrypt9 = testHasher({ bcrypt: { cost: 9 } })
  const argon2OfSome = testHasher({
    algorithm: 'argon2',
    argon2: { ...cheapHasherSettings.argon2, memory: 32 * 1024 * 1024 },
  })
  for (const [name, of] of [
    ['bcrypt', bcrypt9],
    ['argon2', argon2OfSome],
  ] as const) {
    it(`costs what a wrong password costs, each of 32 times (${name})`, async () => {
      const stored = await of.hash('right')
      const real = (await costs(9, () => of.verify('wrong', stored)))[4]!
      const dummies = await costs(32, () => of.dummyVerify('wrong'))
      assert.ok(dummies[0]! > real / 3, `${dummies[0]} µs where a real one takes ${real}`)
      assert.ok(dummies[16]! < real * 2, `${dummies[16]} µs where a real one takes ${real}`)
    })

    it(`tells no kind of stored hash apart that costs less (${name})`, async () => {
      const lighter = hashes.filter(({ hash }) => of.knows(hash) && !/^\$2.\$1|^\$argon2.*m=(?!\d{1,4},)/.test(hash))
      const nobody = (await costs(9, () => of.dummyVerify('wrong')))[4]!
      const kinds = new Map(lighter.map(({ id, hash }) => [/^\W?\w+(-\w+)?/.exec(hash)![0], { id, hash }]))
      for (const { id, hash } of kinds.values()) {
        const real = (await costs(5, () => of.verify('wrong', hash)))[2]!
        assert.ok(real > nobody / 2, `${id}: ${real} µs, and nobody ${nobody}`)
      }
    })
  }

  it('a digest with bits to spare, which no library writes, fits nothing and costs the same', async () => {
    const stored = await bcrypt9.hash('right')
    const last = stored.at(-1)!
    const letters = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    const spare = `${stored.slice(0, -1)}${letters[letters.indexOf(last) | 1]}`
    const real = (await costs(5, () => bcrypt9.verify('wrong', stored)))[2]!
    for (const password of ['right', 'wrong']) assert.ok(!(await bcrypt9.verify(password, spare)))
    assert.ok((await costs(5, () => bcrypt9.verify('wrong', spare)))[0]! > real / 3)
  })

  it('what a lower cost has left undone is made up by hashes of lower costs', () => {
    const settings = { ...cheapHasherSettings, bcrypt: { cost: 10 } }
    const costsOf = (done: number) => dummyBcrypt(settings, randomBytes, 1024 - done).map((hash) => hash.slice(4, 6))
    assert.deepEqual(costsOf(0), ['10'])
    assert.deepEqual(costsOf(512), ['09'])
    assert.deepEqual(costsOf(256), ['09', '08'])
    assert.deepEqual(costsOf(1000), [])
    assert.deepEqual(costsOf(4096), [])
  })
})

describe('under load', () => {
  it('refuses what exceeds the queue and recovers', async () => {
    const narrow = createHasher(() => cheapHasherSettings, { random: randomBytes, concurrency: 1, queue: 2 })
    const all = [
      narrow.hash('a'),
      narrow.dummyVerify('b'),
      narrow.verify('c', '$md5$CY9rzUYh03PK3k6DJie09g=='),
      narrow.hash('d'),
    ]
    const [first, second, third, fourth] = await Promise.allSettled(all)
    assert.deepEqual([first?.status, second?.status, third?.status], ['fulfilled', 'fulfilled', 'fulfilled'])
    assert.ok(fourth?.status === 'rejected' && fourth.reason instanceof HashingBusy)
    await narrow.hash('e')
  })

  it('refuses who would wait too long', async () => {
    const run = boundedQueue({ concurrency: 1, queue: 100, maxWaitMs: 0 })
    const job = () => new Promise<void>((done) => setTimeout(done, 5))
    await Promise.all(Array.from({ length: 17 }, () => run(job))) // how long a job takes is not known yet
    const underWay = run(job)
    await assert.rejects(run(job), HashingBusy)
    await underWay
    await run(job)
  })

  it('leaves the processor to requests', {
    skip: platform() !== 'linux' && 'only Linux gives threads a priority',
  }, async () => {
    const own = getPriority()
    await hasher.hash('a')
    // Field 19 of stat(5), counted behind the name.
    const niceness = readdirSync('/proc/self/task').map((task) => {
      const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
    })
    assert.equal(Math.max(...niceness), Math.max(10, own))
    assert.equal(getPriority(), own)
  })
})

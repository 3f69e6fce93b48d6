import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson, signIn } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { stoppedClock } from '../helpers/identities.ts'
import { CODES, codeAt, giveCodes, halfSignedIn, linkApp, SECOND_FACTORS } from '../helpers/second-factor.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const START = Date.parse('2026-11-27T12:00:00Z') / 1000

describe('a second factor', () => {
  const scope = closingScope()
  const clock = stoppedClock()
  let server: TestServer
  let now = START
  /** Time passes for all tests alike: sessions last a day. */
  const pass = (seconds: number) => {
    now += seconds
    clock.set(new Date(now * 1000).toISOString())
  }
  before(async () => {
    pass(0)
    const { methods } = SECOND_FACTORS.selfservice
    const flows = { settings: { ui_url: '{{public}}/ui/settings' } }
    server = await testServer(scope, { clock, config: { selfservice: { methods, flows } } })
  })
  after(() => scope.close())

  const withApp = async () => {
    pass(300)
    const person = await createPerson(server)
    await linkApp(server, person)
    return person
  }
  const withCodes = async () => {
    const person = await createPerson(server)
    await giveCodes(server, person)
    return person
  }
  const messageOf = (reply: { body: any }) => reply.body.ui?.messages?.[0]

  test('by an app raises the session in place', async () => {
    const own = await halfSignedIn(server, await withApp())
    assert.equal(await own.whoami(), 403)
    const done = await own.submit({ method: 'totp', totp_code: codeAt(now) })
    assert.deepEqual([done.status, done.body.session_token, done.body.session.id], [200, own.token, own.sessionId])
    assert.equal(done.body.session.authenticator_assurance_level, 'aal2')
    assert.equal(await own.whoami(), 200)
  })

  test('a code passes once, and none of an earlier period after it', async () => {
    const person = await withApp()
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => halfSignedIn(server, person)))
    assert.equal((await first!.submit({ method: 'totp', totp_code: codeAt(now) })).status, 200)
    for (const code of [codeAt(now), codeAt(now - 30)]) {
      const again = await second!.submit({ method: 'totp', totp_code: code })
      assert.deepEqual([again.status, messageOf(again).id], [400, 4000008])
    }
    assert.equal(await second!.whoami(), 403)
    assert.equal((await second!.submit({ method: 'totp', totp_code: codeAt(now + 30) })).status, 200)
    pass(-60)
    const replayed = await third!.submit({ method: 'totp', totp_code: codeAt(now + 30) })
    assert.deepEqual([replayed.status, messageOf(replayed).id], [400, 4000008], 'also once the clock is set back')
    pass(60)
  })

  test('of requests at once with one code, one passes', async () => {
    const person = await withApp()
    const all = await Promise.all(Array.from({ length: 6 }, () => halfSignedIn(server, person)))
    const flows = await Promise.all(all.map(async (one) => (await one.begin()).body.id as string))
    const replies = await Promise.all(
      all.map((one, i) => one.submit({ method: 'totp', totp_code: codeAt(now) }, flows[i])),
    )
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 400, 400, 400, 400, 400])
    const levels = await Promise.all(all.map((one) => one.whoami()))
    assert.equal(levels.filter((status) => status === 200).length, 1)
  })

  test('a clock that is wrong is told, and its code does not pass later', async () => {
    const own = await halfSignedIn(server, await withApp())
    const early = await own.submit({ method: 'totp', totp_code: codeAt(now + 120) })
    assert.deepEqual([messageOf(early).id, messageOf(early).context], [4000008, { clock_offset: 120 }])
    const late = await own.submit({ method: 'totp', totp_code: codeAt(now - 300) })
    assert.deepEqual(messageOf(late).context, { clock_offset: -300 })
    pass(120)
    assert.equal((await own.submit({ method: 'totp', totp_code: codeAt(now) })).status, 400, 'whoever was told of it')
    assert.equal((await own.submit({ method: 'totp', totp_code: codeAt(now + 30) })).status, 200)
  })

  test('wrong codes are limited for the account, and leave the other way open', async () => {
    const person = await withApp()
    await giveCodes(server, person)
    const own = await halfSignedIn(server, person)
    const wrong = { method: 'totp', totp_code: codeAt(now + 86_400) }
    let limited: Awaited<ReturnType<typeof own.submit>> | undefined
    for (let i = 0; i < 40 && !limited; i += 1) {
      const reply = await own.submit(wrong)
      assert.ok([400, 429].includes(reply.status), reply.text)
      if (reply.status === 429) limited = reply
    }
    assert.equal(limited?.body.error.id, 'too_many_attempts')
    assert.ok(Number(limited?.headers.get('retry-after')) > 0)
    const other = await halfSignedIn(server, person)
    assert.equal((await other.submit({ method: 'totp', totp_code: codeAt(now) })).status, 429, 'also the right one')
    assert.equal((await other.submit({ method: 'lookup_secret', lookup_secret: CODES[0] })).status, 200)
    pass(3600)
    const later = await halfSignedIn(server, person)
    assert.equal((await later.submit({ method: 'totp', totp_code: codeAt(now) })).status, 200)
  })

  test('a backup code passes once, also of requests at once', async () => {
    const person = await withCodes()
    const all = await Promise.all(Array.from({ length: 5 }, () => halfSignedIn(server, person)))
    const replies = await Promise.all(
      all.map((one) => one.submit({ method: 'lookup_secret', lookup_secret: CODES[0] })),
    )
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 400, 400, 400, 400])
    for (const reply of replies) if (reply.status === 400) assert.equal(messageOf(reply).id, 4000012)
  })

  test('different backup codes at once all count as used', async () => {
    const person = await withCodes()
    const all = await Promise.all(CODES.map(() => halfSignedIn(server, person)))
    const replies = await Promise.all(
      all.map((one, i) => one.submit({ method: 'lookup_secret', lookup_secret: CODES[i] })),
    )
    const passed = CODES.filter((_, i) => replies[i]!.status === 200)
    assert.ok(passed.length > 0)
    const url = `${server.adminUrl}/admin/identities/${person.identityId}?include_credential=lookup_secret`
    const { body } = await new Client(server).get(url)
    const used = body.credentials.lookup_secret.config.recovery_codes.filter((one: any) => one.used_at !== null)
    assert.deepEqual(used.map((one: any) => one.code).sort(), passed.sort())
  })

  test('using one code keeps those that another writer stored beyond the thousand that are read', async () => {
    const person = await createPerson(server)
    await giveCodes(server, person, [...CODES, ...Array.from({ length: 1000 }, (_, i) => `code${1000 + i}`)])
    const own = await halfSignedIn(server, person)
    assert.equal((await own.submit({ method: 'lookup_secret', lookup_secret: CODES[0] })).status, 200)
    const url = `${server.adminUrl}/admin/identities/${person.identityId}?include_credential=lookup_secret`
    const { recovery_codes: left } = (await new Client(server).get(url)).body.credentials.lookup_secret.config
    assert.equal(left.length, CODES.length + 1000)
    assert.ok(left[0].used_at !== null && left.at(-1).code === 'code1999')
  })

  test('never raises a session that has ended', async () => {
    const person = await withApp()
    const own = await halfSignedIn(server, person)
    const flow = (await own.begin()).body.id as string
    const other = await halfSignedIn(server, person)
    await new Client(server).send('DELETE', `${server.adminUrl}/admin/sessions/${own.sessionId}`)
    const refused = await own.submit({ method: 'totp', totp_code: codeAt(now) }, flow)
    assert.deepEqual([refused.status, refused.body.error.id], [401, 'session_aal1_required'])
    assert.equal(await own.whoami(), 401)
    assert.equal(
      (await other.submit({ method: 'totp', totp_code: codeAt(now) })).status,
      200,
      'the code was not used up',
    )
  })

  test('is set up on the built-in pages: with a picture, the secret as text, and codes to keep', async () => {
    const browser = new Client(server)
    await signIn(browser, await createPerson(server))
    const flow = (await browser.get('/self-service/settings/browser')).body
    const page = () => browser.get(`/ui/settings?flow=${flow.id}`, { accept: 'text/html' })
    const first = (await page()).text
    assert.match(first, /<img src="data:image\/png;base64,[A-Za-z0-9+/=]+" alt="Authenticator app QR code" width="256"/)
    const secret = flow.ui.nodes.find(({ attributes }: any) => attributes.id === 'totp_secret_key').attributes.text.text
    assert.ok(first.includes(`<code>${secret}</code>`))
    const csrf_token = flow.ui.nodes.find(({ attributes }: any) => attributes.name === 'csrf_token').attributes.value
    const form = { csrf_token, lookup_secret_regenerate: 'true' }
    const path = `/self-service/settings?flow=${flow.id}`
    assert.equal((await browser.send('POST', path, { headers: { accept: 'text/html' }, form })).status, 303)
    assert.equal([...(await page()).text.matchAll(/<li><code>[a-z0-9]{8}<\/code><\/li>/g)].length, 12)
    const typed = codeAt(now, secret).replace(/^(...)/, '$1 ')
    const linked = await browser.send('POST', path, { json: { csrf_token, method: 'totp', totp_code: typed } })
    assert.equal(linked.status, 200, 'with the blank that apps show')
  })

  test('people type codes in capitals, with commas and blanks', async () => {
    const person = await withCodes()
    for (const [i, typed] of ['AAAAAAA1,', ' bbb-bbbb2 ', 'ｃｃｃｃｃｃｃ３'].entries()) {
      const browser = new Client(server)
      await signIn(browser, person).catch(() => {})
      const flow = (await browser.get('/self-service/login/browser?aal=aal2')).body
      const csrf_token = flow.ui.nodes[0].attributes.value
      const json = { csrf_token, method: 'lookup_secret', lookup_secret: typed }
      const reply = await browser.send('POST', `/self-service/login?flow=${flow.id}`, { json })
      assert.equal(reply.status, 200, `${CODES[i]} as ${typed}: ${reply.text}`)
    }
  })

  test('no interleaving of sign-out and step-up leaves a session that was ended', async () => {
    const person = await withCodes()
    const codes = Array.from({ length: 8 }, (_, i) => `race000${i}`)
    await giveCodes(server, person, codes)
    await Promise.all(
      codes.map(async (code) => {
        const own = await halfSignedIn(server, person)
        const flow = (await own.begin()).body.id as string
        const [ended] = await Promise.all([
          new Client(server).send('DELETE', `${server.adminUrl}/admin/sessions/${own.sessionId}`),
          own.submit({ method: 'lookup_secret', lookup_secret: code }, flow),
        ])
        assert.equal(ended.status, 204)
        assert.equal(await own.whoami(), 401)
      }),
    )
  })
})

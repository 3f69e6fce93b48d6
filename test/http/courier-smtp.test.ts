import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { Message } from '../../src/courier/types.ts'
import { SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import type { Scope } from '../helpers/db.ts'
import { type MailboxOptions, mailbox, randomAddress } from '../helpers/mailbox.ts'
import { testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

const pem = (name: string) => readFile(new URL(`../fixtures/tls/${name}`, import.meta.url))

const ROW = sql(
  'test.courier_row',
  `select m.status, m.send_count, m.subject, m.body, m.template_data is null as blank,
    (select count(*) from lethe.courier_claims c where c.message_id = m.id) as claims,
    (select json_agg(json_build_object('status', d.status, 'error', d.error) order by d.created_at)
      from courier_message_dispatches d where d.message_id = m.id) as tries
   from courier_messages m where m.id = $1`,
)
const HURRY = sql('test.courier_hurry', `update lethe.courier_claims set due_at = '2000-01-01' where claim is null`)
const ODD_DATA = sql(
  'test.courier_data',
  `update courier_messages set template_data = convert_to($2, 'UTF8') where id = $1`,
)
const [QUEUED, SENT, ABANDONED] = [1, 2, 4]

interface MessageRow {
  status: number
  send_count: number
  subject: string
  body: string
  blank: boolean
  claims: number
  tries: { status: string; error: { reason: string; code: number } | null }[] | null
}

interface Options {
  /** of the URI; `{port}` is that of the mailbox */
  uri?: string
  smtp?: object
  courier?: object
  lethe?: object
  mailbox?: MailboxOptions
  port?: number
  /** of the public port, as clients know it */
  baseUrl?: string
}

async function sending(t: Scope, options: Options = {}) {
  const box = await mailbox(t, options.mailbox)
  const uri = (options.uri ?? 'smtp://127.0.0.1:{port}/?disable_starttls=true').replace(
    '{port}',
    String(options.port ?? box.port),
  )
  let now = systemClock().now()
  const server = await testServer(t, {
    // No further try is due until `hurry`, however long the machine pauses between two looks.
    clock: { now: () => now },
    config: {
      ...(options.baseUrl && { serve: { public: { base_url: options.baseUrl } } }),
      courier: {
        smtp: { connection_uri: uri, from_address: 'id@example.test', ...options.smtp },
        worker: { pull_wait: '20ms' },
        ...options.courier,
      },
      ...(options.lethe && { lethe: { courier: options.lethe } }),
    },
  })
  server.deps.courierWorker.start()
  t.after(() => server.deps.courierWorker.stop())
  const to = randomAddress()
  const enqueue = (change: Partial<Message> = {}) =>
    server.deps.courier.enqueue({
      type: 'recovery_code_valid',
      channel: 'email',
      recipient: to,
      data: { to, recovery_code: '012345' },
      ...change,
    })
  const row = async (id: string) => (await server.db.query<MessageRow>(ROW, [id]))[0]!
  const reached = (id: string, status: number) =>
    until(async () => {
      const found = await row(id)
      return found.status === status && found
    }, `status ${status} of a message`)
  async function hurry() {
    now += SECOND
    await server.db.query(HURRY)
  }
  return { server, box, to, enqueue, row, reached, hurry }
}

describe('mail over SMTP', () => {
  test('of a row with odd data, which another program wrote, goes as plain text', async (t) => {
    const { server, box, to, reached } = await sending(t)
    const message: Message = { type: 'recovery_code_valid', channel: 'email', recipient: to, data: { to } }
    const odd = ['', 'x', '{"to":', 'null', '[]', '7', '"x"', '1e99999']
    for (const data of odd) {
      const id = await server.db.tx(async (tx) => {
        const id = await server.deps.courier.enqueue(message, tx)
        await tx.query(ODD_DATA, [id, data])
        return id
      })
      await reached(id, SENT)
    }
    assert.equal(box.mails.length, odd.length)
    for (const { raw } of box.mails) assert.doesNotMatch(raw, /text\/html/)
  })

  test('is sent once, says who it is from, cannot be taken for another, and is not kept in clear', async (t) => {
    const { box, to, enqueue, reached } = await sending(t, {
      smtp: { from_name: 'Lethe "Test"', headers: { 'X-Tenant': 'one' }, local_name: 'id.example.test' },
    })
    const id = await enqueue()
    const row = await reached(id, SENT)
    assert.deepEqual(row, {
      ...{ status: SENT, send_count: 1, subject: '', body: '', blank: true, claims: 0 },
      tries: [{ status: 'success', error: null }],
    })
    assert.equal(box.mails.length, 1)
    const [mail] = box.mails
    assert.deepEqual([mail!.from, mail!.to, mail!.ehlo], ['id@example.test', to, 'id.example.test'])
    const header = (name: string) => mail!.headers.get(name)
    assert.equal(header('from'), '"Lethe \\"Test\\"" <id@example.test>')
    assert.equal(header('to'), to)
    assert.equal(header('x-tenant'), 'one')
    assert.equal(header('auto-submitted'), 'auto-generated')
    assert.equal(header('message-id'), `<${id}@example.test>`)
    assert.ok(Math.abs(Date.parse(header('date')!) - Date.now()) < 600_000)
    assert.match(mail!.raw, /012345/)
    assert.ok(mail!.raw.split('\r\n').every((line) => line.length < 998 && !line.includes('\n')))
  })

  for (const [baseUrl, greeting] of [
    ['https://id.example.test/auth/', 'id.example.test'],
    ['http://127.0.0.1:4433/', '[127.0.0.1]'],
    ['http://[::1]:4433/', '[IPv6:::1]'],
  ] as const) {
    test(`greets with the name of this server: ${baseUrl}`, async (t) => {
      const { box, enqueue, reached } = await sending(t, { baseUrl })
      await reached(await enqueue(), SENT)
      assert.equal(box.mails[0]?.ehlo.toLowerCase(), greeting.toLowerCase())
    })
  }

  test('greets with the name of the machine, or an address, where this server has no name for others', async (t) => {
    const { box, server, enqueue, reached } = await sending(t, { baseUrl: 'http://localhost:4433/' })
    await reached(await enqueue(), SENT)
    await server.reconfigure({ serve: { public: { base_url: null } } })
    await reached(await enqueue(), SENT)
    for (const { ehlo } of box.mails) assert.match(ehlo, /^(\[[0-9a-f.:]+\]|[^.]+\..+)$/i)
    assert.equal(box.mails.length, 2)
  })

  test('a name beyond ASCII is an encoded word, a domain beyond ASCII its ASCII form', async (t) => {
    const { box, enqueue, reached } = await sending(t, {
      smtp: { from_name: 'Anmeldung für Ä' },
      // the server of this test shows the domain decoded; but it takes nothing beyond ASCII
      mailbox: { hideSMTPUTF8: true },
    })
    await reached(await enqueue({ recipient: 'ida@bücher.example' }), SENT)
    assert.match(box.mails[0]!.headers.get('from')!, /^(=\?UTF-8\?Q\?[!-~]+\?= ?)+<id@example\.test>$/)
  })

  test('a refusal for now is tried again with the same id, and no more than message_retries times', async (t) => {
    const { box, to, enqueue, row, hurry, reached } = await sending(t, {
      courier: { message_retries: 2 },
      mailbox: { refuse: (_to, times) => (times < 3 ? [451, 'come back later'] : undefined) },
    })
    const id = await enqueue()
    for (const n of [1, 2]) {
      await until(async () => (await row(id)).tries?.length === n && (await row(id)).status === QUEUED, `try ${n}`)
      await hurry()
    }
    const done = await reached(id, SENT)
    assert.equal(done.send_count, 3)
    assert.deepEqual(
      done.tries!.map(({ status, error }) => [status, error?.code]),
      [
        ['failed', 451],
        ['failed', 451],
        ['success', undefined],
      ],
    )
    assert.deepEqual(box.asked, [to, to, to])
  })

  test('after the last try it is abandoned, and no longer kept in clear', async (t) => {
    const { box, enqueue, hurry, reached } = await sending(t, {
      courier: { message_retries: 1 },
      mailbox: { refuse: () => [451, 'come back later'] },
    })
    const id = await enqueue()
    await until(() => box.asked.length === 1, 'the first try')
    const done = await until(async () => {
      await hurry()
      return reached(id, ABANDONED)
    })
    assert.deepEqual([done.send_count, done.body, done.blank, done.claims], [2, '', true, 0])
  })

  test('a refusal for good is not tried again', async (t) => {
    const { enqueue, reached } = await sending(t, { mailbox: { refuse: () => [550, 'no such user'] } })
    const done = await reached(await enqueue(), ABANDONED)
    assert.equal(done.send_count, 1)
    assert.match(done.tries![0]!.error!.reason, /no such user/)
  })

  test('an address that was refused for good twice is not tried again; others are', async (t) => {
    const refuse = (to: string): [number, string] | undefined => (/^gone/i.test(to) ? [550, 'no such user'] : undefined)
    const { box, enqueue, reached } = await sending(t, { mailbox: { refuse } })
    const reasons = []
    for (const name of ['gone', 'Gone', 'gone', 'gone', 'gone2'])
      reasons.push(
        (await reached(await enqueue({ recipient: `${name}@example.com` }), ABANDONED)).tries![0]!.error!.reason,
      )
    assert.deepEqual(
      reasons.map((reason) => /no such user/.test(reason)),
      [true, true, false, false, true],
    )
    assert.match(reasons[2]!, /refused for good twice/)
    assert.equal(box.asked.length, 3)
  })

  test('a recipient that would end the line of a command is given up without a word to the server', async (t) => {
    const { box, enqueue, reached } = await sending(t)
    for (const recipient of ['a@example.com>\r\nRCPT TO:<b@example.com', 'a b@example.com', 'nobody', 'a@'])
      await reached(await enqueue({ recipient }), ABANDONED)
    assert.deepEqual(box.asked, [])
  })

  test('an address beyond ASCII needs a server that takes it', async (t) => {
    const { box, enqueue, reached } = await sending(t, { mailbox: { hideSMTPUTF8: true } })
    await reached(await enqueue({ recipient: 'jörg@example.com' }), ABANDONED)
    assert.deepEqual(box.asked, [])
  })
})

describe('signing in at a mail server', () => {
  const login = (answers: (user: string | undefined, method: string) => number | undefined): MailboxOptions => ({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    onAuth(auth, _session, done) {
      const code = answers(auth.username, auth.method)
      if (code !== undefined) return done(Object.assign(new Error('not you'), { responseCode: code }))
      done(null, { user: `${auth.username}:${auth.password}` })
    },
  })
  const uri = 'smtp://ida%40example.com:p%25ss%2F@127.0.0.1:{port}/?disable_starttls=true'

  test('user and password of the URI are decoded', async (t) => {
    const { box, enqueue, reached } = await sending(t, { uri, mailbox: login(() => undefined) })
    await reached(await enqueue(), SENT)
    assert.equal(box.mails[0]!.user, 'ida@example.com:p%ss/')
  })

  test('LOGIN is used where PLAIN is refused', async (t) => {
    const refusals = [502, 504, 534]
    const { box, enqueue, reached } = await sending(t, {
      uri,
      mailbox: login((_user, method) => (method === 'PLAIN' ? refusals.shift() : undefined)),
    })
    for (const _ of [1, 2, 3]) await reached(await enqueue(), SENT)
    assert.deepEqual(
      box.mails.map(({ user }) => user),
      Array(3).fill('ida@example.com:p%ss/'),
    )
    assert.deepEqual(refusals, [])
  })

  test('a wrong password uses up no message: they wait, one asks again, and all go once it is right', async (t) => {
    let right = false
    const { box, server, enqueue, row, hurry, reached } = await sending(t, {
      uri,
      courier: { message_retries: 0 },
      mailbox: login(() => (right ? undefined : 535)),
    })
    const ids = await Promise.all(Array.from({ length: 5 }, () => enqueue()))
    await until(() => box.connections() > 0 && box.open() === 0, 'a refused sign-in')
    await until(async () => (await Promise.all(ids.map(row))).every(({ status }) => status === QUEUED), 'all queued')
    const asked = box.connections()
    assert.ok(asked <= 5)
    await hurry()
    // the channel is shut for seconds: nothing is tried although all is due
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(box.connections(), asked)
    assert.ok((await Promise.all(ids.map(row))).every(({ send_count }) => send_count === 0))
    right = true
    await until(async () => {
      await hurry()
      return (await Promise.all(ids.map(row))).every(({ status }) => status === SENT)
    }, 'all sent')
    assert.equal(new Set(box.mails.map(({ headers }) => headers.get('message-id'))).size, 5)
    assert.equal(box.mails.length, 5)
    const warnings = server.logs().match(/the server takes no messages/g)
    assert.equal(warnings?.length, 1)
    assert.ok((await reached(ids[0]!, SENT)).send_count === 1)
  })

  test('where none is offered none is used, as with Kratos', async (t) => {
    const { box, enqueue, reached } = await sending(t, { uri })
    await reached(await enqueue(), SENT)
    assert.equal(box.mails[0]!.user, undefined)
  })
})

describe('signing in at a mail server with an access token', () => {
  /** @param valid the tokens that it takes */
  const byToken = (valid: () => string): MailboxOptions => ({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'XOAUTH2'],
    onAuth({ method, username, accessToken }, _session, done) {
      if (method !== 'XOAUTH2' || accessToken !== valid()) {
        const data = { status: '401', schemes: 'bearer' }
        return done(null, { data } as Parameters<typeof done>[1])
      }
      done(null, { user: `${username}:${accessToken}` })
    },
  })

  /** The server of the client credentials. `answers` are used up, the last one again and again. */
  async function tokenServer(t: Scope, answers: [status: number, body: string][]) {
    const asked: string[] = []
    const server = createHttpServer((req, res) => {
      let body = ''
      req.on('data', (chunk) => (body += chunk))
      req.on('end', () => {
        asked.push(body)
        const [status, text] = answers[Math.min(asked.length, answers.length) - 1]!
        res.writeHead(status, { 'content-type': 'application/json' }).end(text)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(async () => void server.close())
    const token_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
    const oauth2 = { user: 'id@example.test', token_url, client_id: 'lethe', client_secret: 'hush-hush', scope: 'mail' }
    return { asked, lethe: { smtp: { oauth2 } } }
  }
  const grant = (access_token: string, expires_in: unknown = 3600) =>
    JSON.stringify({ access_token, expires_in, token_type: 'Bearer' })

  test('from a file, which is read again for each mail', async (t) => {
    const file = join(await mkdtemp(join(tmpdir(), 'lethe-token-')), 'token')
    t.after(() => rm(dirname(file), { recursive: true }))
    await writeFile(file, 'first.token\n')
    let valid = 'first.token'
    const { box, enqueue, reached, row, hurry } = await sending(t, {
      uri: 'smtp://id%40example.test@127.0.0.1:{port}/?disable_starttls=true',
      lethe: { smtp: { oauth2: { token_file: file } } },
      mailbox: byToken(() => valid),
    })
    await reached(await enqueue(), SENT)
    valid = 'second.token'
    const id = await enqueue()
    await until(async () => (await row(id)).tries !== null, 'a refused token')
    assert.deepEqual([(await row(id)).status, (await row(id)).send_count], [QUEUED, 0])
    await writeFile(file, 'second.token')
    await until(async () => {
      await hurry()
      return (await row(id)).status === SENT
    }, 'the mail')
    assert.deepEqual(
      box.mails.map(({ user }) => user),
      ['id@example.test:first.token', 'id@example.test:second.token'],
    )
  })

  test('by client credentials: one token for all mails, and another when the server does not take it any more', async (t) => {
    let valid = 'one'
    const { asked, lethe } = await tokenServer(t, [
      [200, grant('one')],
      [200, grant('two', '3599')],
    ])
    const { box, enqueue, reached } = await sending(t, { lethe, mailbox: byToken(() => valid) })
    const ids = await Promise.all(Array.from({ length: 5 }, () => enqueue()))
    for (const id of ids) await reached(id, SENT)
    assert.deepEqual(asked, ['grant_type=client_credentials&client_id=lethe&client_secret=hush-hush&scope=mail'])
    valid = 'two'
    const { send_count, tries } = await reached(await enqueue(), SENT)
    assert.deepEqual([send_count, tries!.length, asked.length], [1, 1, 2])
    assert.equal(box.mails.at(-1)!.user, 'id@example.test:two')
  })

  for (const [what, answer, reason] of [
    [
      'refuses',
      [401, '{"error":"invalid_client","error_description":"hush-hush is wrong"}'],
      /401 \(invalid_client\)$/,
    ],
    ['answers with no JSON', [200, '<html>'], /without an access token/],
    ['answers with a token that would be a command', [200, grant('a\r\nRCPT TO:<b@example.com>')], /without an access/],
    ['answers without end', [200, grant('x'.repeat(100_000))], /larger than/],
  ] as [string, [number, string], RegExp][])
    test(`a token server that ${what} uses up no mail, and its secret stays secret`, async (t) => {
      const { lethe } = await tokenServer(t, [answer])
      const { box, server, enqueue, row } = await sending(t, { lethe, mailbox: byToken(() => 'one') })
      const id = await enqueue()
      const found = await until(async () => {
        const { tries, ...rest } = await row(id)
        return tries !== null && rest.status === QUEUED && { ...rest, tries }
      }, 'a try')
      assert.equal(found.send_count, 0)
      assert.match(found.tries[0]!.error!.reason, reason)
      assert.ok(!`${server.logs()}${JSON.stringify(found)}`.includes('hush-hush'))
      assert.deepEqual(box.mails, [])
    })

  test('none is sent in clear to another machine', async (t) => {
    const { lethe } = await tokenServer(t, [[200, grant('one')]])
    // an address of this machine that does not look like one
    const uri = 'smtp://0.0.0.0:{port}/?disable_starttls=true'
    const { box, enqueue, row } = await sending(t, { uri, lethe, mailbox: byToken(() => 'one') })
    const id = await enqueue()
    const [first] = await until(async () => (await row(id)).tries, 'a try')
    assert.match(first!.error!.reason, /without TLS/)
    assert.deepEqual(box.mails, [])
  })
})

describe('TLS to a mail server', async () => {
  const own = { cert: await pem('a.crt'), key: await pem('a.key') }
  const starttls: MailboxOptions = { ...own, disabledCommands: ['AUTH'] }
  const implicit: MailboxOptions = { ...own, secure: true, disabledCommands: ['AUTH'] }

  for (const [what, uri, box, secure] of [
    ['smtps:// from the start', 'smtps://127.0.0.1:{port}/?skip_ssl_verify=true', implicit, true],
    ['smtp:// by STARTTLS', 'smtp://127.0.0.1:{port}/?skip_ssl_verify=true', starttls, true],
    [
      'disable_starttls=true, by STARTTLS all the same where it is offered',
      'smtp://127.0.0.1:{port}/?disable_starttls=true&skip_ssl_verify=true',
      starttls,
      true,
    ],
    ['disable_starttls=true in clear', 'smtp://127.0.0.1:{port}/?disable_starttls=true', {}, false],
  ] as const)
    test(what, async (t) => {
      const { box: mails, enqueue, reached } = await sending(t, { uri, mailbox: box })
      await reached(await enqueue(), SENT)
      assert.equal(mails.mails[0]!.secure, secure)
    })

  for (const [what, uri, box, reason] of [
    ['smtp:// without STARTTLS', 'smtp://127.0.0.1:{port}/', {}, /STARTTLS/i],
    ['a certificate that does not hold', 'smtp://127.0.0.1:{port}/', starttls, /certificate/i],
    ['the same from the start', 'smtps://127.0.0.1:{port}/', implicit, /certificate/i],
    [
      'the same where STARTTLS is not demanded',
      'smtp://127.0.0.1:{port}/?disable_starttls=true',
      starttls,
      /certificate/i,
    ],
  ] as const)
    test(`nothing is sent: ${what}`, async (t) => {
      const {
        box: mails,
        enqueue,
        reached,
      } = await sending(t, {
        uri,
        mailbox: box,
        courier: { message_retries: 0 },
      })
      const { tries } = await reached(await enqueue(), ABANDONED)
      assert.match(tries![0]!.error!.reason, reason)
      assert.deepEqual(mails.mails, [])
    })

  test('a client certificate is shown', async (t) => {
    const file = (name: string) => new URL(`../fixtures/tls/${name}`, import.meta.url).pathname
    const { box, enqueue, reached } = await sending(t, {
      uri: 'smtps://127.0.0.1:{port}/?skip_ssl_verify=true',
      smtp: { client_cert_path: file('a.crt'), client_key_path: file('a.key') },
      mailbox: { ...implicit, requestCert: true, rejectUnauthorized: true, ca: [own.cert] } as MailboxOptions,
    })
    await reached(await enqueue(), SENT)
    assert.equal(box.mails.length, 1)
  })
})

describe('a mail server in trouble', () => {
  test('one that is not there is named, and each try is written down', async (t) => {
    const { enqueue, reached } = await sending(t, { port: 1, courier: { message_retries: 0 } })
    const { tries } = await reached(await enqueue(), ABANDONED)
    assert.match(tries![0]!.error!.reason, /ECONNREFUSED/)
  })

  test('one that cuts the connection in the middle of a mail gets it again', async (t) => {
    let cuts = 2
    const cutting = createServer((socket) => {
      socket.on('error', () => {})
      socket.write('220 ready\r\n')
      socket.on('data', (data) => {
        const line = data.toString()
        if (/^EHLO/.test(line)) socket.write('250 cutting\r\n')
        else if (/^(MAIL|RCPT)/.test(line)) socket.write('250 ok\r\n')
        else if (/^DATA/.test(line)) socket.write('354 go\r\n')
        else if (cuts-- > 0) socket.destroy()
        else socket.write('250 taken\r\n')
      })
    })
    await new Promise<void>((resolve) => cutting.listen(0, '127.0.0.1', resolve))
    t.after(() => void cutting.close())
    const { port } = cutting.address() as { port: number }
    const { enqueue, row, hurry, reached } = await sending(t, { port })
    const id = await enqueue()
    for (const n of [1, 2]) {
      await until(async () => (await row(id)).tries?.length === n && (await row(id)).status === QUEUED, `cut ${n}`)
      await hurry()
    }
    assert.equal((await reached(id, SENT)).send_count, 3)
  })

  /** What servers say, by the command that they say it to; `''` is the greeting. Others get 250, and DATA 354. */
  type Says = Record<string, string | ((socket: Socket, line: string) => void)>
  const endless = (line: string) => (socket: Socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(line));
    }
    socket.on('drain', more)
    more()
  }

  /** A mail server without manners. */
  async function oddServer(t: Scope, says: Says) {
    const heard: string[] = []
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      let inMail = false
      const say = (command: string, usual: string, line = '') => {
        const odd = says[command] ?? usual
        if (typeof odd === 'string') socket.write(odd)
        else odd(socket, line)
      }
      say('', '220 odd\r\n')
      socket.on('data', (data) => {
        for (const line of data.toString('latin1').split('\r\n').slice(0, -1)) {
          if (inMail && line !== '.') continue
          const command = inMail ? '.' : line.split(/[ :]/)[0]!.toUpperCase()
          heard.push(command)
          inMail = command === 'DATA' && !('DATA' in says)
          if (command === 'QUIT' && !('QUIT' in says)) socket.end('221 bye\r\n')
          else say(command, inMail ? '354 go\r\n' : '250 ok\r\n', line)
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return { port: (server.address() as AddressInfo).port, heard, open: () => sockets.size }
  }

  const closing = (text: string) => (socket: Socket) => void socket.end(text)
  for (const [what, says, reason, last] of [
    ['greets without end', { '': endless('220-hello\r\n') }, /exceeds|too large|greeting/i, undefined],
    ['greets with one endless line', { '': endless('2'.repeat(1000)) }, /exceeds|too large|greeting/i, undefined],
    ['greets with a refusal', { '': '554 go away\r\n' }, /554/, undefined],
    ['greets as another protocol', { '': 'HTTP/1.1 400 Bad Request\r\n\r\n' }, /greeting|HTTP/i, undefined],
    ['says goodbye to the greeting', { EHLO: closing('421 4.3.2 going down\r\n') }, /421/, 'EHLO'],
    ['goes down at the recipient', { RCPT: closing('421 4.3.2 going down\r\n') }, /421/, 'RCPT'],
    ['goes down at the text', { DATA: closing('421 4.3.2 going down\r\n') }, /421/, 'DATA'],
    ['lists capabilities without end', { EHLO: endless('250-X\r\n') }, /exceeds|too large/i, 'EHLO'],
    ['answers with a reply of many lines', { RCPT: endless('250-fine\r\n') }, /exceeds|too large/i, 'RCPT'],
    ['answers with no number', { MAIL: 'what?\r\n' }, /what/, 'MAIL'],
    ['refuses the text for now, in Chinese', { '.': Buffer.from('451 请稍后\r\n').toString() }, /451/, '.'],
  ] as [string, Says, RegExp, string | undefined][])
    test(`one that ${what} costs one try, in time, and leaves nothing open`, async (t) => {
      const { port, heard, open } = await oddServer(t, says)
      const { enqueue, row } = await sending(t, { port })
      const id = await enqueue()
      const [first, ...more] = await until(async () => (await row(id)).tries, 'a try')
      assert.match(first!.error!.reason, reason)
      assert.ok(first!.error!.reason.length <= 500)
      const { status, send_count } = await row(id)
      assert.deepEqual([status, send_count, more.length], [QUEUED, 1, 0])
      assert.deepEqual(heard.filter((command) => command !== 'QUIT').at(-1), last)
      await until(() => open() === 0, 'closed connections')
    })

  for (const [what, end] of [
    ['what', undefined],
    ['the beginning of what', 24],
  ] as const)
    test(`one that repeats ${what} it is told keeps no password in the log, nor in the try`, async (t) => {
      const AUTH = (socket: Socket, line: string) => void socket.write(`535 what is ${line.slice(0, end)}?\r\n`)
      const { port } = await oddServer(t, { EHLO: '250-odd\r\n250 AUTH PLAIN\r\n', AUTH })
      const uri = 'smtp://ida:hush-hush-of-ida@127.0.0.1:{port}/?disable_starttls=true'
      const { server, enqueue, row } = await sending(t, { uri, port })
      const id = await enqueue()
      const [first] = await until(async () => (await row(id)).tries, 'a try')
      assert.match(first!.error!.reason, /535 what is AUTH PLAIN …/)
      const sent = Buffer.from('\0ida\0hush-hush-of-ida').toString('base64')
      for (const text of [first!.error!.reason, server.logs()])
        assert.ok(!text.includes(sent.slice(0, 12)) && !text.includes('hush-hush'), text)
    })

  test('one that takes a mail and then talks on keeps no connection', async (t) => {
    const dripping = (socket: Socket) => {
      const timer = setInterval(() => socket.write('2'), 20)
      socket.on('close', () => clearInterval(timer))
    }
    const { port, heard, open } = await oddServer(t, { QUIT: dripping })
    const { enqueue, reached } = await sending(t, { port })
    await reached(await enqueue(), SENT)
    await until(() => heard.includes('QUIT') && open() === 0, 'the end of the connection')
  })

  test('what is said in clear before TLS begins is not taken for what is said inside', async (t) => {
    const [cert, key] = await Promise.all([pem('a.crt'), pem('a.key')])
    const heard: string[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {}).write('220 odd\r\n')
      const plain = (data: Buffer) => {
        heard.push(data.toString().slice(0, 4))
        if (/^EHLO/.test(data.toString())) socket.write('250-odd\r\n250 STARTTLS\r\n')
        if (!/^STARTTLS/.test(data.toString())) return
        socket.off('data', plain)
        // injected: capabilities, and approval of all that follows
        socket.write('220 go\r\n250-odd\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n')
        const inside = new TLSSocket(socket, { isServer: true, cert, key })
        inside.on('error', () => {})
        inside.on('data', (line) => {
          heard.push(line.toString().slice(0, 4))
          inside.write(/^EHLO/.test(line.toString()) ? '250 odd\r\n' : '550 no\r\n')
        })
      }
      socket.on('data', plain)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(async () => void server.close())
    const uri = 'smtp://u:p@127.0.0.1:{port}/?skip_ssl_verify=true'
    const { port } = server.address() as AddressInfo
    const { enqueue, row } = await sending(t, { uri, port })
    const id = await enqueue()
    const [first] = await until(async () => (await row(id)).tries, 'a try')
    assert.equal(first!.status, 'failed')
    assert.ok(!heard.includes('AUTH'), 'the password went out')
    assert.deepEqual(heard.slice(0, 3), ['EHLO', 'STAR', 'EHLO'])
  })

  test('one that is silent holds up no other message and no request, and stopping waits for it', async (t) => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { box, server, enqueue, row, hurry, reached } = await sending(t, {
      mailbox: { hold: ({ to }) => (to === 'slow@example.com' ? held : Promise.resolve()) },
    })
    const slow = await enqueue({ recipient: 'slow@example.com' })
    await until(() => box.asked.includes('slow@example.com'), 'the slow one')
    const others = await Promise.all(Array.from({ length: 20 }, () => enqueue()))
    // on a machine that is busy a step may take too long, and is tried again
    await until(async () => {
      await hurry()
      return (await Promise.all(others.map(row))).every(({ status }) => status === SENT)
    }, 'the others')
    assert.equal((await fetch(`${server.adminUrl}/health/alive`)).status, 200)
    let stopped = false
    const stopping = server.deps.courierWorker.stop().then(() => {
      stopped = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(stopped, false)
    release()
    await stopping
    await reached(slow, SENT)
    assert.equal(new Set(box.mails.map(({ headers }) => headers.get('message-id'))).size, 21)
  })
})

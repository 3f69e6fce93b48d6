import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Client, createPerson, signInNative } from '../helpers/client.ts'
import { testServer } from '../helpers/server.ts'
import { folder } from './folder.ts'
import { runHere } from './in-process.ts'
import { lastLine, run } from './run.ts'

const person = (name: string) => ({ schema_id: 'default', traits: { email: `${name}@example.org` } })

describe('identities over the admin port', () => {
  it('imports, lists, gets and deletes', async (t) => {
    const { adminUrl, publicUrl } = await testServer(t)
    const env = { KRATOS_ADMIN_URL: adminUrl }
    const file = `${await folder(t)}/people.json`
    await writeFile(file, JSON.stringify([person('a'), person('b')]))

    const imported = await run(['import', 'identities', file, '-q'], { env })
    assert.equal(imported.code, 0, imported.stderr)
    const ids = imported.stdout.split('\n').slice(0, 2)
    assert.deepEqual(imported.stdout.split('\n').slice(2), ['', 'NEXT PAGE TOKEN', ''])

    const fromStdin = await runHere(['import', 'identities', '-e', `${adminUrl}/`], {
      input: JSON.stringify(person('c')),
    })
    assert.equal(fromStdin.code, 0, fromStdin.stderr)
    assert.match(fromStdin.stdout, /^ID\t\t\t[0-9a-f-]{36}\t+\nVERIFIED ADDRESSES\tc@example\.org\t/)

    const table = await runHere(['list', 'identities', '1', '1'], { env })
    const schemaUrl = `${publicUrl}/schemas/ZGVmYXVsdA`
    const columns = table.stdout.split('\n').map((line) => line.split(/\t+/).filter((cell) => cell !== ''))
    assert.deepEqual(columns[0], ['ID', 'VERIFIED ADDRESSES', 'RECOVERY ADDRESSES', 'SCHEMA ID', 'SCHEMA URL'])
    assert.equal(columns.length, 7)
    const row = columns.find(([id]) => id === ids[0])
    assert.deepEqual(row, [ids[0], 'a@example.org', 'a@example.org', 'default', schemaUrl])

    const ordered = (await runHere(['ls', 'identities', '-q'], { env })).stdout.split('\n').slice(0, 3)
    assert.deepEqual(ordered, [...ordered].sort())
    let token = ''
    const walked: string[] = []
    for (let page = 0; page < 4; page++) {
      const more = token === '' ? [] : ['--page-token', token]
      const answer = await runHere(['list', 'identities', '--page-size', '1', '--format', 'json', ...more], { env })
      const { identities, next_page_token } = JSON.parse(answer.stdout)
      walked.push(...identities.map(({ id }: { id: string }) => id))
      token = next_page_token
      if (token === '') break
    }
    assert.deepEqual(walked, ordered)

    const queried = await runHere(['list', 'identities', '--format', 'jsonpath=identities.#.id'], { env })
    assert.equal(queried.stdout, `${JSON.stringify(ordered, null, 2)}\n`)
    assert.match((await runHere(['list', 'identities', '--format', 'yaml'], { env })).stdout, /^identities:\n {2}- /)

    const got = await runHere(['get', 'identity', ids[0]!, '--format', 'json'], { env })
    assert.equal(JSON.parse(got.stdout).traits.email, 'a@example.org')
    assert.equal((await runHere(['get', 'identity', ids[0]!, '-q'], { env })).stdout, `${ids[0]}\n`)

    const partly = await runHere(['get', 'identity', ids[0]!, 'no-such-id'], { env })
    assert.equal(partly.code, 1)
    assert.match(partly.stdout, new RegExp(`^ID\t\t\t${ids[0]}`))
    assert.equal(partly.stderr, 'Unable to locate the resource\nno-such-id: 404\n')

    const gone = await runHere(['delete', 'identity', ids[0]!], { env })
    assert.deepEqual([gone.code, gone.stdout], [0, `ID\t${ids[0]}\t\n`])
    const again = await runHere(['delete', 'identity', ids[0]!, ids[1]!], { env })
    assert.equal(again.code, 1)
    assert.match(again.stderr, /^Unable to locate the resource\n/)
    assert.equal(again.stdout, `ID\t${ids[1]}\t\n`)
  })

  it('erases with --erase what is known of a person, also of one who was deleted before', async (t) => {
    const server = await testServer(t)
    const env = { KRATOS_ADMIN_URL: server.adminUrl }
    const person = await createPerson(server)
    await signInNative(server, person)
    const remove = (...flags: string[]) => runHere(['delete', 'identity', person.identityId, ...flags], { env })
    assert.deepEqual([(await remove()).code, (await remove()).code, (await remove('--erase')).code], [0, 1, 0])
    const { body: events } = await new Client(server).get(`${server.adminUrl}/admin/events`)
    assert.deepEqual(
      events.map((event: any) => [event.type, event.device]),
      [
        ['session.ended', null],
        ['session.created', null],
      ],
    )
  })

  it('keeps every digit of a file in the server and of an answer on the terminal', async (t) => {
    const { adminUrl } = await testServer(t)
    const env = { KRATOS_ADMIN_URL: adminUrl }
    const file = `${await folder(t)}/person.json`
    const numbers = '{"a":1546130668394913822,"b":[1.0,0.1234567890123456789]}'
    await writeFile(file, `{"schema_id":"default","traits":{"email":"n@example.org"},"metadata_public":${numbers}}`)
    const id = lastLine((await runHere(['import', 'identities', file, '-q'], { env })).stdout)!
    const get = async (format: string) =>
      (await runHere(['get', 'identity', id, '--format', format], { env })).stdout.replace(/\s/g, '')
    assert.ok((await get('json')).includes(`"metadata_public":${numbers}`))
    assert.ok((await get('json-pretty')).includes(`"metadata_public":${numbers}`))
    assert.equal(await get('jsonpath=metadata_public'), numbers)
    assert.equal(await get('jsonpointer=/metadata_public/b/0'), '1.0')
    assert.equal(await get('jsonpath=metadata_public.b.#(==1)'), '1.0')
    assert.match(await get('yaml'), /metadata_public:a:1546130668394913822b:-1\.0-0\.1234567890123456789/)
  })

  it('imports the others when one is refused, and says which and why', async (t) => {
    const { adminUrl } = await testServer(t)
    const file = `${await folder(t)}/people.json`
    await writeFile(
      file,
      JSON.stringify([person('a'), person('a'), { schema_id: 'default', traits: { email: 'no-email' } }]),
    )
    const { code, stdout, stderr } = await runHere(['import', 'identities', file, '-e', adminUrl])
    assert.equal(code, 1)
    assert.match(stdout, /^ID\t+[0-9a-f-]{36}/)
    const [message, reason, source, ...rest] = stderr.trimEnd().split('\n')
    assert.equal(message, 'The resource could not be created due to a conflict')
    assert.equal(reason, 'This identity conflicts with another identity that already exists.')
    assert.equal(source, `${file}[1]: 409`)
    assert.match(rest.join('\n'), /"no-email" is not valid "email"/)
    assert.equal(rest.at(-1), `${file}[2]: 400`)

    await writeFile(file, JSON.stringify({ traits: { email: 'no-email' } }))
    const none = await runHere(['import', 'identities', file, '-e', adminUrl, '--format', 'json'])
    assert.deepEqual([none.code, none.stdout], [1, '[]\n'])
  })

  it('validates files before they are imported', async (t) => {
    const { adminUrl } = await testServer(t)
    const file = `${await folder(t)}/people.json`
    const validate = () => runHere(['validate', 'identity', file, '-e', adminUrl])
    await writeFile(file, JSON.stringify([person('a'), person('b')]))
    const good = await validate()
    assert.deepEqual([good.code, good.stdout, good.stderr], [0, 'All identity files are valid.\n', ''])

    await writeFile(file, JSON.stringify([{ schema_id: 'default', traits: { email: 'no-email' } }, { nonsense: 1 }]))
    const bad = await validate()
    assert.equal(bad.code, 1)
    assert.ok(
      bad.stderr.startsWith(`${file}[0]: not valid\ntraits.email: no-email\n^-- "no-email" is not valid "email"`),
    )
    assert.match(bad.stderr, /\[1\]: not valid\njson: unknown field "nonsense"\n$/)

    await writeFile(file, JSON.stringify({ schema_id: 'nowhere', traits: {} }))
    assert.match((await validate()).stderr, /Could not fetch schema with ID "nowhere"/)
    await writeFile(file, '{"traits":')
    assert.match((await validate()).stderr, /people\.json: Could not parse identity: /)
    assert.match((await runHere(['validate', 'identity', '/nowhere.json', '-e', adminUrl])).stderr, /no such file/)
  })

  it('tells what is wrong with a call', async (t) => {
    const { adminUrl } = await testServer(t)
    const none = await runHere(['list', 'identities'])
    assert.deepEqual([none.code, none.stderr], [1, 'you have to set the remote endpoint, try --help for details\n'])
    const odd = await runHere(['list', 'identities', '-e', '127.0.0.1:4434'])
    assert.match(odd.stderr, /must be a URL such as/)
    const away = await runHere(['list', 'identities', '-e', 'http://127.0.0.1:2'])
    assert.match(away.stderr, /^GET http:\/\/127\.0\.0\.1:2\/admin\/identities.*ECONNREFUSED/)
    const secret = await runHere(['get', 'identity', 'x', '-i', 'password', '-e', adminUrl])
    assert.match(lastLine(secret.stderr) ?? '', /^You have to put a valid value of credentials type/)
    const token = await runHere(['list', 'identities', '--page-token', 'nonsense', '-e', adminUrl])
    assert.equal(token.code, 1)
    assert.match(token.stderr, /page token/)
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { IdentityPage } from '../../src/identities/store.ts'
import { backends } from '../helpers/db.ts'
import { identityRows } from '../helpers/identities.ts'

const ZERO = '00000000-0000-0000-0000-000000000000'
const ALL = { after: ZERO, size: 100, skip: 0, credentials: false }

for (const backend of backends()) {
  describe(`contract=listing identities on ${backend.name}`, () => {
    async function people(t: Parameters<typeof backend.open>[0], names = ['ada', 'bob', 'cy', 'dee', 'eve']) {
      const rows = await identityRows(await backend.open(t))
      const made = []
      for (const username of names)
        made.push(await rows.create({ traits: { username, email: `${username}@example.org` } }))
      return { rows, made, ids: made.map(({ id }) => id).sort() }
    }
    const idsOf = (list: { id: string }[]) => list.map(({ id }) => id)
    const listed = async (page: Promise<IdentityPage>) => (await page).identities

    test('a walk by token sees each identity once, in order', async (t) => {
      const { rows, ids } = await people(t)
      const seen: string[] = []
      for (let after: string | undefined = ZERO; after !== undefined; ) {
        const page = await listed(rows.identities.list({ kind: 'all' }, { ...ALL, after, size: 2 }))
        seen.push(...idsOf(page))
        after = page.at(-1)?.id
      }
      assert.deepEqual(seen, ids)
    })

    test('rows can be skipped, and are counted', async (t) => {
      const { rows, ids } = await people(t)
      const page = await listed(rows.identities.list({ kind: 'all' }, { ...ALL, size: 2, skip: 2 }))
      assert.deepEqual(idsOf(page), ids.slice(2, 4))
      assert.equal(await rows.identities.count(), 5)
    })

    test('credentials come only when they are asked for, addresses always', async (t) => {
      const { rows } = await people(t, ['ada'])
      const [bare] = await listed(rows.identities.list({ kind: 'all' }, ALL))
      const [full] = await listed(rows.identities.list({ kind: 'all' }, { ...ALL, credentials: true }))
      assert.deepEqual(bare!.credentials, [])
      assert.deepEqual(full, await rows.identities.get(full!.id))
      assert.deepEqual(bare, { ...full, credentials: [] })
    })

    test('by ids; unknown ones are left out', async (t) => {
      const { rows, ids } = await people(t)
      const wanted = [ids[3]!, ids[1]!, '11111111-1111-4111-8111-111111111111']
      const list = await listed(rows.identities.list({ kind: 'ids', ids: wanted }, ALL))
      assert.deepEqual(idsOf(list), [ids[1], ids[3]])
    })

    test('by identifier, whole or by its beginning, without wildcards', async (t) => {
      const { rows, made } = await people(t, ['ann', 'anna', 'a_n', 'bob'])
      const by = async (kind: 'identifier' | 'similar', text: string) =>
        idsOf(await listed(rows.identities.list({ kind, normalised: text, exact: text }, ALL))).sort()
      const named = (...names: number[]) => names.map((i) => made[i]!.id).sort()
      assert.deepEqual(await by('identifier', 'ann'), named(0))
      assert.deepEqual(await by('similar', 'ann'), named(0, 1))
      assert.deepEqual(await by('similar', 'a_'), named(2))
      assert.deepEqual(await by('similar', '%'), [])
      assert.deepEqual(await by('identifier', 'nobody'), [])
    })

    test('by organisation', async (t) => {
      const { rows } = await people(t, ['ada'])
      const organization_id = '22222222-2222-4222-8222-222222222222'
      const { id } = await rows.create({ traits: { username: 'zoe' }, organization_id })
      assert.deepEqual(
        idsOf(await listed(rows.identities.list({ kind: 'organization', organization: organization_id }, ALL))),
        [id],
      )
    })
  })
}

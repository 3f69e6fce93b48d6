import { type Db, NotLocked, type Queryable, sql } from '../../kernel/db/client.ts'

/** Steps that a stored one may be ahead of the clock; beyond, it is from a time when the clock was wrong. */
const AHEAD = 20

/**
 * Identity and app are locked, so that the code counts for the app that it was checked against, and two requests
 * with one code run one after the other. The code's step is stored; it and earlier ones are never valid again.
 */
const ACCEPT = sql(
  'totp.accept',
  `with identity as (
    select id from identities where id = $1 and nid = $2 for no key update skip locked
  ), app as (
    select c.id from identity join identity_credentials c on c.identity_id = identity.id and c.nid = $2
    where c.config ->> 'totp_url' = $3 for no key update of c skip locked
  ), accepted as (
    insert into lethe.totp_steps as s (identity_id, step) select $1::uuid, $4::bigint from app
    on conflict (identity_id) do update set step = excluded.step
      where (s.step < excluded.step or s.step > $5::bigint + ${AHEAD}) and excluded.step <> all (s.told)
    returning step
  )
  select (select count(*) from app)::int as held, (select count(*) from accepted)::int as accepted`,
)

/** For a newly linked app: no step of it is stored yet. */
const LINKED = sql(
  'totp.linked',
  `insert into lethe.totp_steps (identity_id, step) values ($1, $2)
  on conflict (identity_id) do update set step = excluded.step, told = '{}'`,
)

/** Stored future steps: more than the guesses that are allowed while one of them could be used. */
const MAX_TOLD = 50

const TOLD = sql(
  'totp.told',
  `insert into lethe.totp_steps as s (identity_id, step, told) values ($1, 0, array[$2::bigint])
  on conflict (identity_id) do update set told = (s.told || $2::bigint)[greatest(1, cardinality(s.told) + 2 - ${MAX_TOLD}):]`,
)

export type TotpStore = ReturnType<typeof createTotpStore>

export function createTotpStore(db: Pick<Db, 'query'>, nid: string) {
  return {
    /**
     * Uses up a code, and all earlier ones.
     * @param url of the app that the code was checked against
     * @returns false for one that was used before
     * @throws NotLocked also when the app has been replaced meanwhile
     */
    async accept(
      code: { identityId: string; url: string; step: number; now: number },
      tx: Queryable,
    ): Promise<boolean> {
      const { identityId, url, step, now } = code
      const [row] = await tx.query<{ held: number; accepted: number }>(ACCEPT, [identityId, nid, url, step, now])
      if (row!.held === 0) throw new NotLocked(`${ACCEPT.name}: the app is held, or is another by now`)
      return row!.accepted > 0
    },
    /** The code that an app was linked with cannot be used to sign in. */
    async linked(identityId: string, step: number, tx: Queryable): Promise<void> {
      await tx.query(LINKED, [identityId, step])
    },
    /** A future code whose sender was told so: it must not be valid when its time comes. */
    async told(identityId: string, step: number): Promise<void> {
      await db.query(TOLD, [identityId, step])
    },
  }
}

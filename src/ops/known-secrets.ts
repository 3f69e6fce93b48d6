import { createHmac } from 'node:crypto'
import type { Config } from '../config/schema/schema.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { readKnownSecrets, recordKnownSecrets } from '../kernel/db/known-secrets.ts'
import type { Meta } from '../kernel/db/meta.ts'

/** Serving with these secrets would sign everyone out; the message says what to do. */
export class WrongSecrets extends Error {
  override readonly name = 'WrongSecrets'
}

/** @throws WrongSecrets where no secret is configured and a random one would stand in */
export function requireSecrets(generated: boolean): void {
  if (!generated) return
  throw new WrongSecrets(
    'this is the database of a Kratos, and neither secrets.cookie nor secrets.default is set: every browser would be ' +
      'signed out. Copy both from the configuration of Kratos',
  )
}

/**
 * Compares the secrets with those that this database was last served with, and stores the present ones. One in common
 * is enough, so that secrets can be rotated: put the new one first, and take the old one away later.
 *
 * @throws WrongSecrets when none is in common
 */
export async function checkSecrets(db: Queryable, meta: Meta, config: Config): Promise<void> {
  const present = fingerprintsOf(config, meta.serverSecret)
  const known = await readKnownSecrets(db)
  if (known && !present.some((fingerprint) => known.includes(fingerprint))) {
    throw new WrongSecrets(
      'none of secrets.cookie is one that this database was served with before: every browser would be signed out. ' +
        'Put the former one at the end of the list; if that is what you want, run "adopt secrets --yes" first',
    )
  }
  if (known?.join() !== present.join()) await recordKnownSecrets(db, present)
}

/** Stores the present secrets as the right ones, whatever was stored before. */
export async function acceptSecrets(db: Queryable, meta: Meta, config: Config): Promise<void> {
  await recordKnownSecrets(db, fingerprintsOf(config, meta.serverSecret))
}

/** 96 bits of a keyed digest. It helps in guessing a weak secret no more than any one cookie does. */
function fingerprintsOf({ secrets }: Config, key: Uint8Array): string[] {
  const used = secrets.cookie.length > 0 ? secrets.cookie : secrets.default
  return used.map((secret) =>
    createHmac('sha256', key).update(`cookie secret|${secret}`).digest().subarray(0, 12).toString('base64url'),
  )
}

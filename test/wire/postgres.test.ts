import { test } from 'node:test'
import { postgres } from '../helpers/db.ts'
import { replayOn } from './replay.ts'

// Each scenario once is enough at home; CI plays those of the default configuration on every database.
if (process.env.WIRE_BACKENDS !== undefined) replayOn(postgres)
else
  test('recorded answers on postgres', {
    skip: 'set WIRE_BACKENDS=default to play some of them there, as CI does, or WIRE_BACKENDS=all',
  }, () => {})

import { test } from 'node:test'
import { postgres } from '../helpers/db.ts'
import { replayOn } from './replay.ts'

// Each scenario once is enough at home; CI plays them on every database.
if (process.env.WIRE_BACKENDS === 'all') replayOn(postgres)
else
  test('recorded answers on postgres', { skip: 'set WIRE_BACKENDS=all to play them there too, as CI does' }, () => {})

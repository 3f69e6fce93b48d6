import { test } from 'node:test'
import { adopted } from '../helpers/db.ts'
import { replayOn } from './replay.ts'

// Each scenario once is enough at home; CI plays them on every database.
if (process.env.WIRE_BACKENDS === 'all') replayOn(adopted)
else test('recorded answers on adopted', { skip: 'set WIRE_BACKENDS=all to play them there too, as CI does' }, () => {})

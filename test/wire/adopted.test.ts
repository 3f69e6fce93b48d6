import { test } from 'node:test'
import { adopted } from '../helpers/db.ts'
import { replayOn } from './replay.ts'

// Each scenario once is enough at home; CI plays those of the default configuration on every database.
if (process.env.WIRE_BACKENDS !== undefined) replayOn(adopted)
else
  test('recorded answers on adopted', {
    skip: 'set WIRE_BACKENDS=default to play some of them there, as CI does, or WIRE_BACKENDS=all',
  }, () => {})

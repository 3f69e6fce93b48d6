import { pglite } from '../helpers/db.ts'
import { replayOn } from './replay.ts'

replayOn(pglite)

import type { Db } from '../../kernel/db/client.ts'
import { entryFlowStore } from '../store.ts'
import type { RegistrationFlow } from './types.ts'

export type RegistrationStore = ReturnType<typeof createRegistrationStore>

export const createRegistrationStore = (db: Db, nid: string) =>
  entryFlowStore<RegistrationFlow>(db, nid, 'registration')

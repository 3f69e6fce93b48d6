import { plainTexts } from '../courier/plain-texts.ts'
import { createCourier } from '../courier/service.ts'
import { createCourierStore } from '../courier/store.ts'
import type { Base } from './environment.ts'

export type CourierParts = ReturnType<typeof composeCourier>

export function composeCourier({ clock, random, db, meta }: Base) {
  const store = createCourierStore(db, meta.nid)
  return { courier: createCourier({ clock, random, store, templates: plainTexts }) }
}

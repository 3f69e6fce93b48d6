import type { Config } from '../schema/schema.ts'

export interface HookList {
  /** path of the list */
  name: string
  hooks: readonly { readonly hook: string }[]
}

/** All lists of hooks in a configuration. */
export function hookLists({ selfservice }: Config): HookList[] {
  return Object.entries(selfservice.flows).flatMap(([flow, section]) =>
    Object.entries(section as Record<string, unknown>).flatMap(([place, value]) =>
      place === 'before' || place === 'after' ? listsBelow(`selfservice.flows.${flow}.${place}`, value) : [],
    ),
  )
}

function listsBelow(name: string, value: unknown): HookList[] {
  if (Array.isArray(value)) return [{ name, hooks: value }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => listsBelow(`${name}.${key}`, inner))
}

/** Lists of a method that replace a general one for it: Kratos logs nothing about that. */
export function hidingLists(config: Config): { general: string; methods: string[] }[] {
  const lists = hookLists(config).filter(({ hooks }) => hooks.length > 0)
  return lists.flatMap(({ name: general }) => {
    const [base, isGeneral] = [general.replace(/hooks$/, ''), /\.after\.hooks$/.test(general)]
    const methods = isGeneral
      ? lists.map(({ name }) => name).filter((name) => name !== general && name.startsWith(base))
      : []
    return methods.length === 0 ? [] : [{ general, methods }]
  })
}

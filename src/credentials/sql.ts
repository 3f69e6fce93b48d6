import type { Condition, CredentialDescriptor } from './descriptor.ts'
import { DESCRIPTORS, typesWhere } from './descriptors.ts'

/** The types for which something holds, as a list of SQL. */
export const listOfTypes = (holds: (descriptor: CredentialDescriptor) => unknown): string =>
  `(${typesWhere(holds)
    .map((type) => `'${type}'`)
    .join(', ')})`

const anySecondFactor = (optional: boolean, config: string): string =>
  DESCRIPTORS.flatMap(({ secondFactor: factor }) =>
    factor && (factor.optional ?? false) === optional ? [factor.sql(config)] : [],
  ).join('\n    or ')

/** Whether a config is that of a second factor that is set up. Its members tell the type: no join is needed. */
export const isSecondFactor: Condition = (config) => anySecondFactor(false, config)
/** The same of one that counts only where it is switched on. */
export const isOptionalFactor: Condition = (config) => anySecondFactor(true, config)

/** Whether a row holds a credential; an empty one only reserves its identifier. @param type expression */
export const isSet = (type: string, config: string): string => {
  const cases = DESCRIPTORS.flatMap((d) => (d.isSet ? [`when '${d.type}' then ${d.isSet(config)}`] : []))
  return `case ${type}\n  ${cases.join('\n  ')}\n  else true end`
}

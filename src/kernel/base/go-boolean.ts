const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** A boolean as Go reads it; undefined for any other text. @see strconv.ParseBool */
export function goBoolean(text: string | null | undefined): boolean | undefined {
  if (text === null || text === undefined) return undefined
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined
}

import pg from 'pg'
import { ARRAY_PARSERS, PARSERS } from './values.ts'

/** What statements answer with, whichever server gives the text. */
export const TYPES = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => parserFor(oid, format),
} as pg.CustomTypesConfig

function parserFor(oid: number, format?: 'text' | 'binary'): unknown {
  const element = ARRAY_PARSERS[oid]
  if (element) {
    const list = pg.types.getTypeParser(1009 as number, 'text') as (text: string) => (string | null)[]
    return (text: string) => list(text).map((item) => (item === null ? null : element(item)))
  }
  return PARSERS[oid] ?? pg.types.getTypeParser(oid, format as 'text')
}

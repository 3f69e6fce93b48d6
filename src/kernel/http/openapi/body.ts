import { z } from 'zod'
import type { Schema } from './openapi.ts'

/** The description of a request body, derived from the schema that checks it. */
export function bodySchema(checkedBy: z.ZodType): Schema {
  const described = z.toJSONSchema(checkedBy, {
    io: 'input',
    target: 'openapi-3.0',
    override({ jsonSchema: schema }) {
      // members for the configuration's reference
      delete schema.kind
      if (schema.type === 'integer') {
        schema.format = 'int64'
        if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
      }
      // The format says the same as the long expression.
      if (schema.format === 'date-time') delete schema.pattern
    },
  })
  return described as Schema
}

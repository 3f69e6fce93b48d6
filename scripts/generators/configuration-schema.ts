import { z } from 'zod'
import { configSchema } from '../../src/config/schema/schema.ts'
import type { Generator } from './generator.ts'

/** For editors: completion and checks while a configuration file is written. */
export const configurationSchema: Generator = {
  file: 'config/kratos.schema.json',
  generate() {
    const schema = z.toJSONSchema(configSchema, {
      io: 'input',
      target: 'draft-7',
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        const { class: support, reload } = jsonSchema as { class?: string; reload?: string }
        for (const name of ['class', 'reload', 'kind', 'sensitive']) delete jsonSchema[name]
        if (support !== undefined) jsonSchema['x-support'] = support
        if (reload !== undefined) jsonSchema['x-reload'] = reload
      },
    })
    return `${JSON.stringify({ title: 'Configuration of Lethe', ...schema }, null, 2)}\n`
  },
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
import { courierWarnings } from '../../../src/courier/warnings.ts'
import { WIRE_CONFIGS } from '../../helpers/server.ts'

function warnings(change: object, sends = true, dev = false): string[] {
  const tree = { ...WIRE_CONFIGS.default, dsn: 'memory', ...change }
  const text = JSON.stringify(tree).replace(/\{\{\w+\}\}/g, 'http://127.0.0.1:1')
  const load = { files: ['config.json'], env: {}, flags: { dev: false }, readFile: () => text, random: randomBytes }
  return courierWarnings(loadConfig(load).config, sends, dev).map(({ keys, message }) => `${keys}: ${message}`)
}

const recovery = {
  selfservice: {
    default_browser_return_url: 'http://127.0.0.1:1/',
    flows: { recovery: { enabled: true } },
  },
}
const smtp = { courier: { smtp: { connection_uri: 'smtps://mail.example/' } } }

test('an operator hears at start why no message would arrive', () => {
  assert.deepEqual(warnings({}), [])
  assert.deepEqual(warnings({ ...recovery, ...smtp }), [])
  assert.match(warnings({ ...recovery, ...smtp }, false).join(), /^courier: .*--watch-courier/)
  assert.match(warnings({ ...recovery, courier: {} }).join(), /^courier\.smtp\.connection_uri: there is no mail server/)
  assert.deepEqual(warnings({ ...recovery, courier: {} }, true, true), [])
  const broken = { courier: { smtp: { connection_uri: 'smtp://user:secret%zz@mail.example/' } } }
  assert.match(warnings({ ...recovery, ...broken }).join(), /percent sign/)
  assert.match(
    warnings({ ...recovery, courier: { delivery_strategy: 'http' } }).join(),
    /^courier\.http\.request_config: /,
  )
  const half = { courier: { smtp: { ...smtp.courier.smtp, client_cert_path: '/a.crt' } } }
  assert.match(warnings({ ...recovery, ...half }).join(), /belong together/)
})

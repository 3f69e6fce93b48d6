import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { takeAnswer } from '../../../bench/connection.ts'

const answers = {
  'with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
  'without a body': ['HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n', ''],
  'in chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n', 'hello'],
} as const

describe('an answer that arrives', () => {
  for (const [how, [text, body]] of Object.entries(answers)) {
    it(`${how} is taken when it is whole, and not before`, () => {
      for (let length = 0; length < text.length; length++) {
        assert.equal(takeAnswer(text.slice(0, length)), undefined, `after ${length} characters`)
      }
      const found = takeAnswer(`${text}HTTP/1.1 200`)
      assert.equal(found?.end, text.length)
      assert.equal(found?.answer.split('\r\n\r\n')[1], body)
    })
  }
})

// The least a Fastify server can do: what is left to a request after routing and writing an answer. Not TypeScript, so
// that its memory is its own.
import fastify from 'fastify'

const app = fastify()
app.get('/noop', async () => ({ status: 'ok' }))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })

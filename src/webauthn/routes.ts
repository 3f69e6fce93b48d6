import type { FastifyPluginAsync } from 'fastify'
import { SCRIPT, SCRIPT_PATH } from './script.ts'

/** The script that pages with keys load, from any site. */
export const webauthnRoutes: FastifyPluginAsync = async (app) => {
  app.get(SCRIPT_PATH, (_req, reply) => reply.type('text/javascript; charset=UTF-8').send(SCRIPT))
}

import { bodySchema } from '../../kernel/http/openapi/body.ts'
import {
  bool,
  type Description,
  empty,
  error,
  inPath,
  integer,
  json,
  jsonBody,
  list,
  nullable,
  number,
  OTHER_ERRORS,
  object,
  oneWord,
  PAGE_SIZE,
  PAGE_TOKEN,
  query,
  ref,
  text,
  time,
  uuid,
} from '../../kernel/http/openapi/openapi.ts'
import { DELIVERY_STATES, EVENT_TYPES } from '../types.ts'
import { newWebhook, replayRequest, secretRotation, webhookChange } from './body.ts'

const id = inPath('id', 'Name of the receiver.')
const seq = inPath('seq', 'Position of the event in the log.', integer)
const unknown = error('There is no such receiver.')
const invalid = error('A parameter or a member of the body cannot be right.')
const configured = error('It stands in the configuration, and is changed there.')
const base = '/admin/events/webhooks'
const wanted = list(oneWord('*', ...EVENT_TYPES))
const replayed = json('How many deliveries are due again.', object({ replayed: integer }))

/** Receivers of events and the results of their deliveries. */
export const webhookOperations: Description['operations'] = [
  {
    id: 'listEventWebhooks',
    method: 'get',
    path: base,
    port: 'admin',
    summary: 'Lists the receivers of events, those of the configuration too.',
    answers: { 200: json('The receivers.', list(ref('eventWebhook'))), ...OTHER_ERRORS },
  },
  {
    id: 'createEventWebhook',
    method: 'post',
    path: base,
    port: 'admin',
    summary: 'Adds a receiver. It gets what happens from now on. The answer alone shows its secret.',
    body: jsonBody('newEventWebhook'),
    answers: {
      201: json('The receiver with its secret.', 'eventWebhook'),
      400: invalid,
      409: error('The name is taken.'),
      ...OTHER_ERRORS,
    },
  },
  {
    id: 'getEventWebhook',
    method: 'get',
    path: `${base}/{id}`,
    port: 'admin',
    summary: 'Shows a receiver and how far it has come.',
    parameters: [id],
    answers: { 200: json('The receiver.', 'eventWebhook'), 404: unknown, ...OTHER_ERRORS },
  },
  {
    id: 'changeEventWebhook',
    method: 'patch',
    path: `${base}/{id}`,
    port: 'admin',
    summary: 'Changes a receiver. While it is not enabled, its events are collected and wait.',
    parameters: [id],
    body: jsonBody('eventWebhookChange'),
    answers: {
      200: json('The receiver.', 'eventWebhook'),
      400: invalid,
      404: unknown,
      409: configured,
      ...OTHER_ERRORS,
    },
  },
  {
    id: 'deleteEventWebhook',
    method: 'delete',
    path: `${base}/{id}`,
    port: 'admin',
    summary: 'Removes a receiver and its deliveries.',
    parameters: [id],
    answers: { 204: empty('It is gone.'), 404: unknown, 409: configured, ...OTHER_ERRORS },
  },
  {
    id: 'rotateEventWebhookSecret',
    method: 'post',
    path: `${base}/{id}/secret`,
    port: 'admin',
    summary: 'Gives a receiver a new secret; the one before signs too, unless it is not to.',
    parameters: [id],
    body: jsonBody('eventWebhookSecret', false),
    answers: {
      200: json('The new secret.', object({ secret: text, signs_with: integer })),
      400: invalid,
      404: unknown,
      409: configured,
      ...OTHER_ERRORS,
    },
  },
  {
    id: 'listEventDeliveries',
    method: 'get',
    path: `${base}/{id}/deliveries`,
    port: 'admin',
    summary: 'Lists what became of the events of a receiver, newest first.',
    parameters: [id, query('state', 'Only those in this state.', oneWord(...DELIVERY_STATES)), PAGE_SIZE, PAGE_TOKEN],
    answers: { 200: json('The deliveries.', list(ref('eventDelivery'))), 400: invalid, 404: unknown, ...OTHER_ERRORS },
  },
  {
    id: 'getEventDelivery',
    method: 'get',
    path: `${base}/{id}/deliveries/{seq}`,
    port: 'admin',
    summary: 'Shows a delivery with its event.',
    parameters: [id, seq],
    answers: { 200: json('The delivery.', 'eventDelivery'), 400: invalid, 404: unknown, ...OTHER_ERRORS },
  },
  {
    id: 'replayEventDelivery',
    method: 'post',
    path: `${base}/{id}/deliveries/{seq}/replay`,
    port: 'admin',
    summary: 'Delivers an event again, with the same id.',
    parameters: [id, seq],
    answers: { 200: replayed, 400: invalid, 404: unknown, ...OTHER_ERRORS },
  },
  {
    id: 'replayEventDeliveries',
    method: 'post',
    path: `${base}/{id}/replay`,
    port: 'admin',
    summary: 'Delivers again what was given up, or everything in a range.',
    parameters: [id],
    body: jsonBody('eventReplay', false),
    answers: { 200: replayed, 400: invalid, 404: unknown, ...OTHER_ERRORS },
  },
]

export const webhookSchemas: Description['schemas'] = {
  eventWebhook: object(
    {
      id: text,
      source: oneWord('config', 'api'),
      url: text,
      events: wanted,
      enabled: bool,
      headers: list(text),
      timeout: text,
      signs_with: integer,
      position: integer,
      pending: integer,
      dead: integer,
      oldest_pending_at: nullable(time),
      lag_seconds: number,
    },
    { secret: text },
  ),
  newEventWebhook: bodySchema(newWebhook),
  eventWebhookChange: bodySchema(webhookChange),
  eventWebhookSecret: bodySchema(secretRotation),
  eventReplay: bodySchema(replayRequest),
  eventDelivery: object(
    {
      seq: integer,
      event_id: uuid,
      event_type: oneWord(...EVENT_TYPES),
      session_id: nullable(uuid),
      state: oneWord(...DELIVERY_STATES),
      attempts: integer,
      next_attempt_at: nullable(time),
      under_way: bool,
      last_attempt_at: nullable(time),
      last_status: nullable(integer),
      last_error: nullable(text),
      queued_at: time,
      finished_at: nullable(time),
    },
    { event: ref('event') },
  ),
}

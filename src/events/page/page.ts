import { isLoopback } from '../../config/listen-host.ts'
import type { Config } from '../../config/schema/schema.ts'
import { EVENT_TYPES } from '../types.ts'

/** Whether the page is served: as configured, by default only where the admin port can be reached from this machine alone. */
export function servesPage({ lethe, serve }: Config): boolean {
  return lethe.events.page ?? isLoopback(serve.admin.host)
}

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; font-size: .875rem }
  th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top }
  td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
  .wide { overflow-x: auto }
  button { font: inherit; padding: .125rem .5rem }
  #state::before { content: "● "; color: #b50 }
  #state.live::before { color: #080 }`

const head = (...cells: string[]) =>
  `<thead><tr>${cells.map((cell) => `<th scope="col">${cell}</th>`).join('')}</tr></thead><tbody></tbody>`

/** What an operator sees of events: as they come, their receivers, and dead letters. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Events – Lethe</title>
<style>${STYLE}</style>
<script src="page.js" defer></script>
</head>
<body>
<main>
<h1>Events</h1>
<p id="state" role="status">Connecting</p>
<p id="log">Log</p>
<h2>Receivers</h2>
<div class="wide" tabindex="0" role="region" aria-label="Receivers"><table id="receivers">${head('Name', 'Address', 'Wants', 'Behind', 'Waiting', 'Oldest', 'Given up', 'Action')}</table></div>
<h2>Deliveries that wait or were given up</h2>
<div class="wide" tabindex="0" role="region" aria-label="Deliveries"><table id="deliveries">${head('Receiver', 'Event', 'Session', 'State', 'Tries', 'Next', 'Last answer', 'Action')}</table></div>
<h2>Live</h2>
<div class="wide" tabindex="0" role="region" aria-label="Live events"><table id="events">${head('Time', 'Event', 'Cause', 'By', 'Session', 'Identity', 'Device')}</table></div>
</main>
</body>
</html>
`

/** Everything is written as text, never as markup: a client chooses the name of its browser. */
export const SCRIPT = `'use strict'
const $ = (selector) => document.querySelector(selector)
const row = (...cells) => {
  const tr = document.createElement('tr')
  for (const cell of cells) {
    const td = document.createElement('td')
    td.append(cell ?? '')
    tr.append(td)
  }
  return tr
}
const button = (label, path) => {
  const made = document.createElement('button')
  made.textContent = label
  made.addEventListener('click', async () => {
    made.disabled = true
    await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    await refresh()
  })
  return made
}
const get = async (path) => {
  const answer = await fetch(path)
  if (!answer.ok) throw new Error(path + ' answered ' + answer.status)
  return answer.json()
}
const seconds = (value) => (Math.round(value * 10) / 10) + ' s'
const behind = (events, age) => events + ' events, ' + seconds(age)
function showLog(s) {
  const by = s.oldest_transaction
  // what the server's role may not see of a transaction is null
  const holder = by && 'held back by process ' + (by.pid ?? 'unknown') + ' (' + (by.application || 'unnamed') + '), open for '
    + (by.age_seconds === null ? 'an unknown time' : seconds(by.age_seconds))
  const log = 'Log: epoch ' + s.epoch + ' (number ' + s.epoch_number + '), complete up to ' + s.position
  $('#log').textContent = [log, 'behind by ' + behind(s.behind_events, s.behind_seconds), holder].filter(Boolean).join('; ')
}
async function refresh() {
  const status = await get('status')
  showLog(status)
  const lags = new Map(status.receivers.map((r) => [r.id, behind(r.lag_events, r.lag_seconds)]))
  const receivers = await get('webhooks')
  const rows = []
  for (const { id, pending, dead } of receivers) {
    for (const state of ['dead', 'pending']) {
      if ((state === 'dead' ? dead : pending) === 0) continue
      const base = 'webhooks/' + encodeURIComponent(id) + '/deliveries'
      for (const d of await get(base + '?page_size=20&state=' + state)) {
        const last = [d.last_status, d.last_error].filter((part) => part !== null).join(' ')
        // a pending delivery is tried anyway: only dead letters can be sent again
        const again = state === 'dead' ? button('Send again', base + '/' + d.seq + '/replay') : ''
        rows.push(row(id, d.event_type + ' ' + d.seq, d.session_id, d.state, String(d.attempts), d.next_attempt_at, last, again))
      }
    }
  }
  $('#receivers tbody').replaceChildren(...receivers.map((r) =>
    row(r.id, r.url, r.events.join(', '), lags.get(r.id), String(r.pending), r.oldest_pending_at, String(r.dead),
      r.dead > 0 ? button('Send all again', 'webhooks/' + encodeURIComponent(r.id) + '/replay') : '')))
  $('#deliveries tbody').replaceChildren(...rows)
}
const events = $('#events tbody')
const show = ({ data }) => {
  const e = JSON.parse(data)
  events.prepend(row(e.time, e.type, e.cause, e.actor && e.actor.type, e.session_id, e.identity_id, e.device && e.device.user_agent))
  while (events.children.length > 200) events.lastChild.remove()
}
const stream = new EventSource('stream?last=50')
for (const type of ${JSON.stringify(EVENT_TYPES)}) stream.addEventListener(type, show)
const state = (text, live) => {
  $('#state').textContent = text
  $('#state').classList.toggle('live', live)
}
stream.addEventListener('open', () => state('Live', true))
stream.addEventListener('error', () => state('Connecting again', false))
const turn = () => refresh().catch((error) => state(error.message, false)).finally(() => setTimeout(turn, 3000))
turn()
`

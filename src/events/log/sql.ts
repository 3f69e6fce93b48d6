/**
 * An event with the device of its session: noted when the session began, else (a session older than the log) as far as
 * its row still exists. Joined when it is read, so that an end costs no more than its own row.
 */
export const EVENT_COLUMNS = `
  e.seq, e.id, e.type, e.cause, e.session_id, e.identity_id, e.actor, e.data, e.created_at,
  coalesce(e.device, (
    select c.device from lethe.events c
    where c.session_id = e.session_id and c.type = 'session.created' order by c.seq limit 1
  ), (
    select jsonb_build_object('ip_address', d.ip_address, 'user_agent', coalesce(d.user_agent, ''), 'location', d.location)
    from session_devices d where d.session_id = e.session_id order by d.created_at, d.id limit 1
  )) as device`

import { recordEnds, SELECT_SESSION } from '../src/features/sessions/sql.ts'

/** What the server sends, for one row and with literals: the measure of what the database itself needs. */
export const bareStatements = {
  select: `${SELECT_SESSION} where s.token = $TOKEN and s.nid = $NID`,
  revoke: `with ended as (
    update sessions set active = false where id = $ID and nid = $NID and active returning id, identity_id
  ), ${recordEnds("'logout'", 'localtimestamp', '$NID', 'false')}
  select id from ended`,
}

-- Who is sending a message, until when, and when one that failed is due again. The messages themselves stand in the table
-- that Kratos's courier reads too, which has no room for this. A row goes when its message is sent or given up.
create table lethe.courier_claims (
  message_id uuid primary key,
  -- of the try that is under way: who finds another here has lost the message and writes nothing
  claim uuid,
  -- when the try counts as lost; without a try, when the next one may begin
  due_at timestamp not null
);
create index courier_claims_due_idx on lethe.courier_claims (due_at);

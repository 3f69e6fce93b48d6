-- An end touched four indexes at random places; measured, three quarters of what it adds to the write-ahead log came from
-- them. Ids are random and never looked up. The end of a session is found by the index that allows only one; the other
-- events of a session need an index that an end does not touch.
alter table lethe.events drop constraint events_id_key;
drop index lethe.events_session_id_idx;
create index events_session_other_idx on lethe.events (session_id, seq) where type <> 'session.ended' or resumed;

-- A device may offer a key that its owner has removed: it is found by the key alone.
create index key_parties_key_idx on lethe.key_parties (key_id);

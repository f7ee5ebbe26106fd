-- What its receiver could not take, time after time, is put aside, so that it holds up nothing (src/db/outbox-parked.ts).
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN attempted_at INTEGER;

CREATE TABLE outbox_parked (
  -- As it was in the outbox.
  id INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  reason TEXT NOT NULL,
  parked_at INTEGER NOT NULL
);

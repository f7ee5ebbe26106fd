-- What a product's own backend hears (SPEC 12): endpoints, and the one that is asked before a message is accepted.

CREATE TABLE webhooks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  url TEXT NOT NULL,
  description TEXT,
  -- JSON array of event types.
  events TEXT NOT NULL,
  batch_size INTEGER NOT NULL DEFAULT 1,
  -- Signs every call, so it cannot be kept hashed. It is answered once, when it is made.
  secret TEXT NOT NULL,
  created_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  off_at INTEGER,
  off_reason TEXT
);

-- Who wants what, of the endpoints that are on: what a change asks before it writes anything for them.
CREATE TABLE webhook_events (
  event TEXT NOT NULL,
  webhook_id INTEGER NOT NULL,
  PRIMARY KEY (event, webhook_id)
) WITHOUT ROWID;

CREATE TRIGGER webhooks_insert AFTER INSERT ON webhooks BEGIN
  INSERT INTO webhook_events (event, webhook_id) SELECT value, NEW.id FROM json_each(NEW.events) WHERE NEW.off_at IS NULL;
END;
CREATE TRIGGER webhooks_update AFTER UPDATE OF events, off_at ON webhooks BEGIN
  DELETE FROM webhook_events WHERE webhook_id = NEW.id;
  INSERT INTO webhook_events (event, webhook_id) SELECT value, NEW.id FROM json_each(NEW.events) WHERE NEW.off_at IS NULL;
END;
CREATE TRIGGER webhooks_delete AFTER DELETE ON webhooks BEGIN
  DELETE FROM webhook_events WHERE webhook_id = OLD.id;
END;

-- One at most.
CREATE TABLE message_hook (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  timeout_ms INTEGER NOT NULL,
  on_failure TEXT NOT NULL,
  created_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);

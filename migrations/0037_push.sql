-- Web Push: where a user's browsers are reached, and what for.

-- One row for each browser. An endpoint is one person's, whoever registered it last. It ends with its session.
CREATE TABLE push_subscriptions (
  id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  endpoint_hash TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL,
  p256dh TEXT NOT NULL,
  auth TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);
CREATE TRIGGER sessions_delete_push AFTER DELETE ON sessions BEGIN
  DELETE FROM push_subscriptions WHERE session_id = OLD.id;
END;
-- A token that somebody else signed has no session; what is known of its end is a logout. A role may follow its hash.
CREATE TRIGGER revoked_tokens_insert_push AFTER INSERT ON revoked_tokens BEGIN
  DELETE FROM push_subscriptions WHERE session_id = 'outside:' || NEW.hash
    OR (session_id >= 'outside:' || NEW.hash || ':' AND session_id < 'outside:' || NEW.hash || ';');
END;

-- No row: both, at any hour. Quiet hours are minutes of the day in `time_zone`; all three are null when there are none.
CREATE TABLE push_settings (
  user_id INTEGER PRIMARY KEY,
  messages INTEGER NOT NULL DEFAULT 1,
  notifications INTEGER NOT NULL DEFAULT 1,
  quiet_from TEXT,
  quiet_to TEXT,
  time_zone TEXT
);

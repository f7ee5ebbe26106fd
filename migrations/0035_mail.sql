-- Mail of accounts, and the links in it.

-- What a link proves. The token itself is nowhere: it is derived from a key and `mail_outbox.token_id`. `email`: the address
-- that it went to; it counts only as long as that is the account's, or the one that the account is to have.
CREATE TABLE account_tokens (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('verify', 'reset')),
  user_id INTEGER NOT NULL,
  email TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX account_tokens_user ON account_tokens (user_id);

-- What is to be sent, or waits for its next try (`attempt_at`). The text is made when it is sent. `sent_at`: kept to be shown
-- (MAIL_TRANSPORT=local). `parked_at`: given up.
CREATE TABLE mail_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  template TEXT NOT NULL,
  language TEXT NOT NULL,
  username TEXT NOT NULL,
  token_id TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  attempt_at INTEGER NOT NULL,
  sent_at INTEGER,
  parked_at INTEGER,
  reason TEXT
);
CREATE INDEX mail_outbox_due ON mail_outbox (attempt_at) WHERE sent_at IS NULL AND parked_at IS NULL;
CREATE INDEX mail_outbox_user ON mail_outbox (user_id);

CREATE TRIGGER users_delete_mail AFTER DELETE ON users BEGIN
  DELETE FROM account_tokens WHERE user_id = OLD.id;
  DELETE FROM mail_outbox WHERE user_id = OLD.id;
END;

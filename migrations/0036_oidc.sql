-- Signing in by others: what is known of a provider's account, and what stands between a sign-in's beginning and its end.
ALTER TABLE identities ADD COLUMN email TEXT;
ALTER TABLE identities ADD COLUMN linked_at INTEGER;

-- One row from the way to the provider until it answers. `hash` is of the state, `browser_hash` of the browser's cookie;
-- from the two of them come the verifier and the nonce, which stand nowhere.
CREATE TABLE sign_in_states (
  hash TEXT PRIMARY KEY,
  browser_hash TEXT NOT NULL,
  provider TEXT NOT NULL,
  redirect TEXT NOT NULL,
  code_challenge TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One row from the provider's answer until the page exchanges its code: whom the provider named.
CREATE TABLE sign_in_codes (
  hash TEXT PRIMARY KEY,
  code_challenge TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  username TEXT,
  display_name TEXT,
  email TEXT,
  email_verified INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

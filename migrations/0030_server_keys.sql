-- What a product's own backend calls with (SPEC 12). `hash`: of the secret, which is shown once. `scopes`: a JSON array.
CREATE TABLE server_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
) WITHOUT ROWID;

-- The key by which something was done, when no admin did it: then `admin_id` is 0, and `admin_username` the key's name.
ALTER TABLE audit ADD COLUMN key_id TEXT;

-- Publications that a product's backend has named (SPEC 12, `dedupeId`), for 24 hours: what came under that name, by its
-- hash, and what was answered; null while it is under way.
CREATE TABLE publications (
  key_id TEXT NOT NULL,
  dedupe_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  answer TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (key_id, dedupe_id)
) WITHOUT ROWID;
CREATE INDEX publications_created ON publications (created_at);

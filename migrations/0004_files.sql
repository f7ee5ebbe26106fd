-- Files' metadata, and what keeps the bytes in R2 in step with it.

-- Objects that may be in R2 without a row that owns them. A crash leaves its row here, and the sweep erases the object.
CREATE TABLE uploads (
  key TEXT PRIMARY KEY,
  upload_id TEXT,
  started_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_started ON uploads (started_at);

CREATE TABLE files (
  id TEXT PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  folder TEXT NOT NULL,
  name TEXT NOT NULL,
  original_name TEXT NOT NULL,
  category TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  visibility TEXT NOT NULL DEFAULT 'private',
  -- Objects never change, so a copy of a file is a second row on the same object.
  key TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX files_path ON files (folder, name);
CREATE INDEX files_owner ON files (owner_id, folder);
CREATE INDEX files_key ON files (key);

-- The last row on an object takes it along, in whatever way that row goes.
CREATE TRIGGER files_delete AFTER DELETE ON files
WHEN NOT EXISTS (SELECT 1 FROM files WHERE key = OLD.key)
BEGIN
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('file:' || OLD.key, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE INDEX videos_file ON videos (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX videos_thumb ON videos (thumb_file_id) WHERE thumb_file_id IS NOT NULL;
CREATE TRIGGER videos_delete_files AFTER DELETE ON videos
WHEN OLD.file_id IS NOT NULL OR OLD.thumb_file_id IS NOT NULL
BEGIN
  DELETE FROM files WHERE id IN (OLD.file_id, OLD.thumb_file_id);
END;
-- A video's files are seen by whoever sees the video.
CREATE TRIGGER videos_visibility_files AFTER UPDATE OF visibility ON videos
WHEN NEW.visibility <> OLD.visibility AND (NEW.file_id IS NOT NULL OR NEW.thumb_file_id IS NOT NULL)
BEGIN
  UPDATE files SET visibility = NEW.visibility WHERE id IN (NEW.file_id, NEW.thumb_file_id);
END;
CREATE TRIGGER users_delete_files AFTER DELETE ON users BEGIN
  DELETE FROM files WHERE owner_id = OLD.id;
END;

-- tus uploads. What has arrived is `parts` (whole ones, in R2's multipart upload) and a tail that is too small to be one,
-- in an object of its own; there are two places for it, so that the old one lasts until the row names the new one.
CREATE TABLE resumable_uploads (
  id TEXT PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  upload_id TEXT,
  length INTEGER NOT NULL,
  offset INTEGER NOT NULL DEFAULT 0,
  parts TEXT NOT NULL DEFAULT '[]',
  tail_place INTEGER NOT NULL DEFAULT 0,
  original_name TEXT NOT NULL,
  folder TEXT NOT NULL,
  visibility TEXT NOT NULL,
  metadata TEXT NOT NULL,
  locked_by TEXT,
  locked_until INTEGER NOT NULL DEFAULT 0,
  file_id TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX resumable_uploads_expiry ON resumable_uploads (expires_at);
CREATE INDEX resumable_uploads_owner ON resumable_uploads (owner_id);

-- Names of files as people gave them, and how much each of them may keep.

-- Every path that a file has or had. A name that became free would let an old link show another file's bytes. As a hash
-- (src/db/file-paths.ts): an erased user's file names are not kept.
CREATE TABLE file_paths (
  hash TEXT PRIMARY KEY,
  file_id TEXT NOT NULL
) WITHOUT ROWID;
-- SQLite cannot hash: cron records the paths of the files that are here, when it folds them again (src/db/folding.ts).
UPDATE files SET is_folded = 0;

-- What each user's files take. `reserved`: what uploads that are under way may come to.
CREATE TABLE file_usage (
  user_id INTEGER PRIMARY KEY,
  file_count INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  reserved INTEGER NOT NULL DEFAULT 0
);
INSERT INTO file_usage (user_id, file_count, bytes, reserved)
SELECT owner_id, sum(is_file), sum(size * is_file), sum(size * (1 - is_file)) FROM (
  SELECT owner_id, size, 1 AS is_file FROM files
  UNION ALL SELECT owner_id, length, 0 FROM resumable_uploads WHERE file_id IS NULL
) GROUP BY owner_id;

CREATE TRIGGER files_usage_insert AFTER INSERT ON files BEGIN
  INSERT INTO file_usage (user_id, file_count, bytes) VALUES (NEW.owner_id, 1, NEW.size)
  ON CONFLICT (user_id) DO UPDATE SET file_count = file_count + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER files_usage_delete AFTER DELETE ON files BEGIN
  UPDATE file_usage SET file_count = file_count - 1, bytes = bytes - OLD.size WHERE user_id = OLD.owner_id;
END;
CREATE TRIGGER users_delete_file_usage AFTER DELETE ON users BEGIN
  DELETE FROM file_usage WHERE user_id = OLD.id;
END;

-- An upload by form holds what it may come to, until it is a file or given up.
ALTER TABLE uploads ADD COLUMN owner_id INTEGER;
ALTER TABLE uploads ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER uploads_reserve AFTER INSERT ON uploads WHEN NEW.reserved > 0 BEGIN
  INSERT INTO file_usage (user_id, reserved) VALUES (NEW.owner_id, NEW.reserved)
  ON CONFLICT (user_id) DO UPDATE SET reserved = reserved + NEW.reserved;
END;
CREATE TRIGGER uploads_reserve_change AFTER UPDATE OF reserved ON uploads BEGIN
  UPDATE file_usage SET reserved = reserved + NEW.reserved - OLD.reserved WHERE user_id = NEW.owner_id;
END;
CREATE TRIGGER uploads_release AFTER DELETE ON uploads WHEN OLD.reserved > 0 BEGIN
  UPDATE file_usage SET reserved = reserved - OLD.reserved WHERE user_id = OLD.owner_id;
END;

-- A resumable one holds the length that was announced.
CREATE TRIGGER resumable_uploads_reserve AFTER INSERT ON resumable_uploads BEGIN
  INSERT INTO file_usage (user_id, reserved) VALUES (NEW.owner_id, NEW.length)
  ON CONFLICT (user_id) DO UPDATE SET reserved = reserved + NEW.length;
END;
CREATE TRIGGER resumable_uploads_become_file AFTER UPDATE OF file_id ON resumable_uploads
WHEN OLD.file_id IS NULL AND NEW.file_id IS NOT NULL BEGIN
  UPDATE file_usage SET reserved = reserved - NEW.length WHERE user_id = NEW.owner_id;
END;
CREATE TRIGGER resumable_uploads_release AFTER DELETE ON resumable_uploads WHEN OLD.file_id IS NULL BEGIN
  UPDATE file_usage SET reserved = reserved - OLD.length WHERE user_id = OLD.owner_id;
END;

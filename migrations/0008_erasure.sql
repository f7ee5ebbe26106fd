-- Whose sessions an erased user's were.
CREATE INDEX webrtc_sessions_host ON webrtc_sessions (host_id);

-- A batch may take 30 s at most (platform limit), and an owner may have very many files: the first go with the user's row,
-- the rest in rounds (src/features/admin/erasure/user.ts). Whoever deletes the row, the job is there in its transaction.
DROP TRIGGER users_delete_files;
CREATE TRIGGER users_delete_files AFTER DELETE ON users BEGIN
  DELETE FROM files WHERE id IN (SELECT id FROM files WHERE owner_id = OLD.id LIMIT 500);
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'erase:' || OLD.id, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE EXISTS (SELECT 1 FROM files WHERE owner_id = OLD.id);
END;

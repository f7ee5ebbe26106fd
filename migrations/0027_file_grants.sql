-- Who besides a file's owner may read it, and what an admin has hidden.

-- A file that its owner has sent into a chat is read by whoever may read there. One row for each message that has a file,
-- written before the message. `place`: `room:<id>` or `stream:<id>`.
CREATE TABLE file_grants (
  id TEXT PRIMARY KEY,
  file_id TEXT NOT NULL,
  place TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX file_grants_file ON file_grants (file_id);
CREATE INDEX file_grants_place ON file_grants (place);
CREATE TRIGGER files_delete_grants AFTER DELETE ON files BEGIN
  DELETE FROM file_grants WHERE file_id = OLD.id;
END;
CREATE TRIGGER rooms_delete_grants AFTER DELETE ON rooms BEGIN
  DELETE FROM file_grants WHERE place = 'room:' || OLD.id;
  DELETE FROM room_departures WHERE room_id = OLD.id;
END;
CREATE TRIGGER streams_delete_grants AFTER DELETE ON streams BEGIN
  DELETE FROM file_grants WHERE place = 'stream:' || OLD.id;
END;

-- When somebody last left a room, or was removed: a link that was signed before may be in their hands.
CREATE TABLE room_departures (
  room_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER room_members_depart AFTER DELETE ON room_members
WHEN EXISTS (SELECT 1 FROM rooms WHERE id = OLD.room_id) BEGIN
  INSERT INTO room_departures (room_id, at) VALUES (OLD.room_id, CAST(unixepoch('subsec') * 1000 AS INTEGER))
  ON CONFLICT (room_id) DO UPDATE SET at = excluded.at;
END;

-- Since when an admin hides it, which nobody but an admin undoes. A file is hidden with all copies of its bytes.
ALTER TABLE videos ADD COLUMN hidden_at INTEGER;
ALTER TABLE files ADD COLUMN hidden_at INTEGER;

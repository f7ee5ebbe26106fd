-- Rooms (group, private, course) and who belongs to them. What is said in a room lives in the room's own object; of that,
-- a row here holds a summary, which the object writes at most every few seconds (src/features/rooms/summary.ts).

CREATE TABLE rooms (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT,
  owner_id INTEGER,
  -- A private room is the one room of its two people.
  low_id INTEGER,
  high_id INTEGER,
  course_id TEXT,
  join_policy TEXT,
  slow_mode_seconds INTEGER NOT NULL DEFAULT 0,
  member_count INTEGER NOT NULL DEFAULT 0,
  -- Grows with every change that the live room must know, so that it can tell old news from new.
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  -- The summary.
  head INTEGER NOT NULL DEFAULT 0,
  message_count INTEGER NOT NULL DEFAULT 0,
  deleted_seqs TEXT NOT NULL DEFAULT '[]',
  last_message TEXT,
  last_active_at INTEGER NOT NULL,
  busy_until INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX rooms_pair ON rooms (low_id, high_id) WHERE low_id IS NOT NULL;
CREATE UNIQUE INDEX rooms_course ON rooms (course_id) WHERE course_id IS NOT NULL;
CREATE INDEX rooms_owner ON rooms (owner_id) WHERE owner_id IS NOT NULL;

-- read_seq: what the member has read up to; read_count: how many messages the room had by then.
CREATE TABLE room_members (
  room_id TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  joined_at INTEGER NOT NULL,
  read_seq INTEGER NOT NULL DEFAULT 0,
  read_count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_members_user ON room_members (user_id);
CREATE TRIGGER room_members_insert AFTER INSERT ON room_members BEGIN
  UPDATE rooms SET member_count = member_count + 1 WHERE id = NEW.room_id;
END;
CREATE TRIGGER room_members_delete AFTER DELETE ON room_members BEGIN
  UPDATE rooms SET member_count = member_count - 1 WHERE id = OLD.room_id;
END;

-- Who ever wrote where: one row per person and room, so that an erased person can be made anonymous everywhere.
CREATE TABLE room_authors (
  user_id INTEGER NOT NULL,
  room_id TEXT NOT NULL,
  PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;
CREATE INDEX room_authors_room ON room_authors (room_id);

CREATE TRIGGER rooms_delete AFTER DELETE ON rooms BEGIN
  DELETE FROM room_members WHERE room_id = OLD.id;
  DELETE FROM room_authors WHERE room_id = OLD.id;
END;

-- What the live room has to know about itself.
CREATE VIEW room_facts AS SELECT
  r.id AS room_id,
  json_object(
    'version', r.version,
    'kind', r.kind,
    'courseId', r.course_id,
    'name', r.name,
    'ownerId', r.owner_id,
    'slowModeSeconds', r.slow_mode_seconds,
    'isBlocked', json(CASE WHEN r.low_id IS NOT NULL AND EXISTS (
      SELECT 1 FROM blocks b WHERE (b.blocker_id = r.low_id AND b.blocked_id = r.high_id)
        OR (b.blocker_id = r.high_id AND b.blocked_id = r.low_id)
    ) THEN 'true' ELSE 'false' END)
  ) AS facts
FROM rooms r;

-- A block stops writing in the private room of the two, and the live room hears of it, whoever makes the block.
CREATE TRIGGER blocks_insert_room AFTER INSERT ON blocks BEGIN
  UPDATE rooms SET version = version + 1
    WHERE low_id = min(NEW.blocker_id, NEW.blocked_id) AND high_id = max(NEW.blocker_id, NEW.blocked_id);
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'room:' || r.id, json_object('facts', json(f.facts)), CAST(unixepoch('subsec') * 1000 AS INTEGER)
    FROM rooms r JOIN room_facts f ON f.room_id = r.id
    WHERE r.low_id = min(NEW.blocker_id, NEW.blocked_id) AND r.high_id = max(NEW.blocker_id, NEW.blocked_id);
END;
CREATE TRIGGER blocks_delete_room AFTER DELETE ON blocks BEGIN
  UPDATE rooms SET version = version + 1
    WHERE low_id = min(OLD.blocker_id, OLD.blocked_id) AND high_id = max(OLD.blocker_id, OLD.blocked_id);
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'room:' || r.id, json_object('facts', json(f.facts)), CAST(unixepoch('subsec') * 1000 AS INTEGER)
    FROM rooms r JOIN room_facts f ON f.room_id = r.id
    WHERE r.low_id = min(OLD.blocker_id, OLD.blocked_id) AND r.high_id = max(OLD.blocker_id, OLD.blocked_id);
END;

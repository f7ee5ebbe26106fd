-- Ids that makers choose are names: `chosen_id` is what clients say and see, while objects, message ids, grants and the
-- outbox go by `id`, a UUID that is never used again. A room without a chosen id is called by its UUID; a course has its
-- `course_id` for a name.
ALTER TABLE rooms ADD COLUMN chosen_id TEXT;
CREATE UNIQUE INDEX rooms_chosen ON rooms (chosen_id) WHERE chosen_id IS NOT NULL;
-- A course that was made by its first use, and that no moderator has adopted.
ALTER TABLE rooms ADD COLUMN is_unclaimed INTEGER NOT NULL DEFAULT 0;

-- Of the calls that had a name one after the other, one at most goes on.
ALTER TABLE webrtc_sessions ADD COLUMN chosen_id TEXT;
CREATE INDEX webrtc_sessions_chosen ON webrtc_sessions (chosen_id) WHERE chosen_id IS NOT NULL;
CREATE UNIQUE INDEX webrtc_sessions_current ON webrtc_sessions (chosen_id)
  WHERE chosen_id IS NOT NULL AND ended_at IS NULL;

-- Who was removed from a group does not come back by themself, however open it is.
CREATE TABLE room_removals (
  room_id TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_removals_user ON room_removals (user_id);

-- What was deleted is never made by its first use again. `kind`: room, course or call.
CREATE TABLE deleted_ids (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;

DROP TRIGGER rooms_delete;
CREATE TRIGGER rooms_delete AFTER DELETE ON rooms BEGIN
  DELETE FROM room_members WHERE room_id = OLD.id;
  DELETE FROM room_removals WHERE room_id = OLD.id;
  INSERT OR IGNORE INTO deleted_ids (kind, id) VALUES (
    CASE OLD.kind WHEN 'course' THEN 'course' ELSE 'room' END,
    coalesce(OLD.course_id, OLD.chosen_id, OLD.id)
  );
END;
-- A host's call ends for good; one that its first use made (it has no host: 0) begins anew.
CREATE TRIGGER webrtc_sessions_end AFTER UPDATE OF ended_at ON webrtc_sessions
  WHEN NEW.ended_at IS NOT NULL AND NEW.chosen_id IS NOT NULL AND NEW.host_id <> 0 BEGIN
  INSERT OR IGNORE INTO deleted_ids (kind, id) VALUES ('call', NEW.chosen_id);
END;
CREATE TRIGGER webrtc_sessions_delete AFTER DELETE ON webrtc_sessions BEGIN
  INSERT OR IGNORE INTO deleted_ids (kind, id) VALUES ('call', coalesce(OLD.chosen_id, OLD.id));
END;

DROP VIEW room_facts;
CREATE VIEW room_facts AS SELECT
  r.id AS room_id,
  json_object(
    'version', r.version,
    'kind', r.kind,
    'publicId', coalesce(r.chosen_id, r.id),
    'courseId', r.course_id,
    'name', r.name,
    'ownerId', r.owner_id,
    'joinPolicy', coalesce(r.join_policy, 'members'),
    'slowModeSeconds', r.slow_mode_seconds,
    'isBlocked', json(CASE WHEN r.low_id IS NOT NULL AND EXISTS (
      SELECT 1 FROM blocks b WHERE (b.blocker_id = r.low_id AND b.blocked_id = r.high_id)
        OR (b.blocker_id = r.high_id AND b.blocked_id = r.low_id)
    ) THEN 'true' ELSE 'false' END)
  ) AS facts
FROM rooms r;

-- Who has left their name in an object's own storage: in the chat of a stream, in the attendance of a video session. One
-- row per person and object, written by the object after the fact, so that an erased person can be made nobody in all of them.
CREATE TABLE traces (
  user_id INTEGER NOT NULL,
  -- As in the outbox: `stream:<id>`, `webrtc:<id>`.
  target TEXT NOT NULL,
  PRIMARY KEY (user_id, target)
) WITHOUT ROWID;

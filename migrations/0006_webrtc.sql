-- Video sessions. Who is in one, and who was, is kept by its own object.
CREATE TABLE webrtc_sessions (
  id TEXT PRIMARY KEY,
  host_id INTEGER NOT NULL,
  title TEXT,
  course_id TEXT,
  max_participants INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
) WITHOUT ROWID;

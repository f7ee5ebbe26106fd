-- Livestreams, the sessions that media servers report, their event log, and recordings.
-- What follows from a stream going live or ending (the history of its sessions, the news to its room, stale caches) is
-- done by triggers: it happens at six places (webhook, owner, lapsed lease, ban, key rotation, erasure) and is forgotten at none.

CREATE TABLE streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  thumbnail TEXT,
  -- SHA-256 of the stream key, which is stored nowhere.
  key_hash TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'ended',
  -- The media server's session that is live: source, application and client id. NULL when none is.
  session TEXT,
  end_reason TEXT,
  started_at INTEGER,
  ended_at INTEGER,
  last_seen_at INTEGER,
  -- The session has ended when this has passed. NULL until the media server has sent its first heartbeat.
  lease_until INTEGER,
  -- Players that the media server reports, and people whom the stream's room counts.
  players INTEGER NOT NULL DEFAULT 0,
  room_viewers INTEGER NOT NULL DEFAULT 0,
  -- Of the session that is live, or of the last one.
  peak_viewers INTEGER NOT NULL DEFAULT 0,
  plays INTEGER NOT NULL DEFAULT 0,
  scheduled_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX streams_key ON streams (key_hash);
CREATE INDEX streams_user ON streams (user_id);
CREATE INDEX streams_status ON streams (status, started_at);
CREATE INDEX streams_scheduled ON streams (scheduled_at) WHERE started_at IS NULL AND scheduled_at IS NOT NULL;
CREATE INDEX streams_lease ON streams (lease_until) WHERE status = 'live' AND lease_until IS NOT NULL;

-- Every stay of a publisher, with its own times.
CREATE TABLE stream_sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  stream_id INTEGER NOT NULL,
  session TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT,
  peak_viewers INTEGER NOT NULL DEFAULT 0,
  plays INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX stream_sessions_stream ON stream_sessions (stream_id, id);

-- Ends that came before their beginning: the publisher left while its publish was being answered. Kept for a minute.
CREATE TABLE stream_early_ends (
  stream_id INTEGER NOT NULL,
  session TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (stream_id, session)
) WITHOUT ROWID;

-- Who is watching through the media server. A set, so that repeated events count once.
CREATE TABLE stream_players (
  stream_id INTEGER NOT NULL,
  session TEXT NOT NULL,
  PRIMARY KEY (stream_id, session)
) WITHOUT ROWID;
CREATE TRIGGER stream_players_insert AFTER INSERT ON stream_players BEGIN
  UPDATE streams SET players = players + 1, plays = plays + 1, peak_viewers = max(peak_viewers, players + 1)
  WHERE id = NEW.stream_id;
END;
CREATE TRIGGER stream_players_delete AFTER DELETE ON stream_players BEGIN
  UPDATE streams SET players = players - 1 WHERE id = OLD.stream_id;
END;

CREATE TRIGGER streams_session AFTER UPDATE OF session ON streams WHEN OLD.session IS NOT NEW.session BEGIN
  UPDATE stream_sessions
  SET ended_at = coalesce(NEW.ended_at, OLD.last_seen_at), end_reason = coalesce(NEW.end_reason, 'replaced'),
    peak_viewers = OLD.peak_viewers, plays = OLD.plays
  WHERE stream_id = NEW.id AND ended_at IS NULL;
  INSERT INTO stream_sessions (stream_id, session, started_at)
  SELECT NEW.id, NEW.session, NEW.last_seen_at WHERE NEW.session IS NOT NULL;
  DELETE FROM stream_players WHERE stream_id = NEW.id AND NEW.session IS NULL;
END;

CREATE TRIGGER streams_status AFTER UPDATE OF status, started_at ON streams
WHEN OLD.status <> NEW.status OR OLD.started_at IS NOT NEW.started_at BEGIN
  INSERT INTO outbox (target, payload, created_at) VALUES (
    'stream:' || NEW.id,
    json_object('type', 'stream:status', 'data', json_object(
      'streamId', NEW.id,
      'status', NEW.status,
      'startTime', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.started_at / 1000.0, 'unixepoch'),
      'endTime', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.ended_at / 1000.0, 'unixepoch'))),
    NEW.updated_at);
END;

-- A ban, a deactivation and a deletion end what the user is broadcasting; the publisher is cut off at its next update.
CREATE TRIGGER users_leave_air AFTER UPDATE OF banned_at, account_status ON users
WHEN NEW.banned_at IS NOT NULL OR NEW.account_status <> 'active' BEGIN
  UPDATE streams SET status = 'ended', session = NULL, end_reason = 'banned', lease_until = NULL,
    ended_at = CAST(unixepoch('subsec') * 1000 AS INTEGER), updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE user_id = NEW.id AND status = 'live';
END;

-- An erased user's streams go with everything that belongs to them; their rooms close.
CREATE TRIGGER users_take_streams AFTER DELETE ON users BEGIN
  DELETE FROM streams WHERE user_id = OLD.id;
END;
CREATE TRIGGER streams_delete AFTER DELETE ON streams BEGIN
  DELETE FROM stream_sessions WHERE stream_id = OLD.id;
  DELETE FROM stream_early_ends WHERE stream_id = OLD.id;
  DELETE FROM stream_players WHERE stream_id = OLD.id;
  DELETE FROM vods WHERE stream_id = OLD.id;
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('stream:' || OLD.id, '{"type":"stream:deleted"}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

-- Every event that a media server has sent with a valid proof. Neither keys nor file paths, which may hold one.
CREATE TABLE stream_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  stream_id INTEGER,
  source TEXT NOT NULL,
  event TEXT NOT NULL,
  session TEXT NOT NULL,
  outcome TEXT NOT NULL,
  -- Fingerprint of the signature of a signed event: a replay is answered as the first one was, and does nothing.
  signature TEXT,
  request_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX stream_events_stream ON stream_events (stream_id, id);
CREATE UNIQUE INDEX stream_events_signature ON stream_events (signature) WHERE signature IS NOT NULL;

CREATE TABLE vods (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  stream_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  thumbnail TEXT,
  duration REAL,
  file_name TEXT NOT NULL,
  -- What tells a repeated recording from a new one of the same name: `sha256:<hex>` or `etag:<etag>`.
  digest TEXT NOT NULL,
  -- The object in the bucket.
  object_key TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  views INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX vods_once ON vods (stream_id, file_name, digest);
CREATE UNIQUE INDEX vods_object ON vods (object_key);
CREATE INDEX vods_views ON vods (views, id);
CREATE INDEX vods_created ON vods (created_at, id);
-- The bytes go after the row, however often that takes.
CREATE TRIGGER vods_delete AFTER DELETE ON vods BEGIN
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('file:' || OLD.object_key, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

-- What answers kept in memory are held against: a change shows at once, in every isolate of every data centre.
CREATE TABLE versions (
  kind TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO versions (kind, version) VALUES ('streams', 1), ('viewers', 1), ('vods', 1);
CREATE TRIGGER streams_version_insert AFTER INSERT ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'streams';
END;
CREATE TRIGGER streams_version_update
AFTER UPDATE OF status, started_at, ended_at, title, description, thumbnail, scheduled_at ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'streams';
END;
-- Lists show these when their time to live is over; a single stream's details at once.
CREATE TRIGGER streams_version_viewers AFTER UPDATE OF players, room_viewers ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'viewers';
END;
CREATE TRIGGER streams_version_delete AFTER DELETE ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'streams';
END;
CREATE TRIGGER vods_version_insert AFTER INSERT ON vods BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'vods';
END;
CREATE TRIGGER vods_version_delete AFTER DELETE ON vods BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'vods';
END;

-- A stream's room shows the greater of the people in it and of the media server's players (SPEC 7), as GET /streams/:id
-- does: it is told of every change of `players`, in order.
CREATE TRIGGER streams_players AFTER UPDATE OF players ON streams WHEN OLD.players <> NEW.players BEGIN
  INSERT INTO outbox (target, payload, created_at) VALUES (
    'stream:' || NEW.id,
    json_object('type', 'stream:players', 'players', NEW.players),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

-- The players of a stream that ends are counted off at once: one row and one piece of news, however many they are.
DROP TRIGGER stream_players_delete;
CREATE TRIGGER stream_players_delete AFTER DELETE ON stream_players
WHEN (SELECT session FROM streams WHERE id = OLD.stream_id) IS NOT NULL BEGIN
  UPDATE streams SET players = players - 1 WHERE id = OLD.stream_id;
END;

DROP TRIGGER streams_session;
CREATE TRIGGER streams_session AFTER UPDATE OF session ON streams WHEN OLD.session IS NOT NEW.session BEGIN
  UPDATE stream_sessions
  SET ended_at = coalesce(NEW.ended_at, OLD.last_seen_at), end_reason = coalesce(NEW.end_reason, 'replaced'),
    peak_viewers = OLD.peak_viewers, plays = OLD.plays
  WHERE stream_id = NEW.id AND ended_at IS NULL;
  INSERT INTO stream_sessions (stream_id, session, started_at)
  SELECT NEW.id, NEW.session, NEW.last_seen_at WHERE NEW.session IS NOT NULL;
  DELETE FROM stream_players WHERE stream_id = NEW.id AND NEW.session IS NULL;
  UPDATE streams SET players = 0 WHERE id = NEW.id AND NEW.session IS NULL AND players <> 0;
END;

INSERT INTO outbox (target, payload, created_at)
SELECT 'stream:' || id, json_object('type', 'stream:players', 'players', players),
  CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM streams WHERE players <> 0;

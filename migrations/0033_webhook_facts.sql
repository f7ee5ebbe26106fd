-- What endpoints hear of changes in the database (SPEC 12): a row in the outbox, written by the change itself, and only where
-- some endpoint wants it. `webhook:<noun>` keeps the order within a noun.

-- What waits for a deleted endpoint, and the record of what it had, lie in its own objects, named by its number and birth:
-- a restored database may give the number again.
CREATE TRIGGER webhooks_delete_queue AFTER DELETE ON webhooks BEGIN
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('endpoint:' || OLD.id || '-' || OLD.created_at, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE VIEW user_event AS SELECT
  id AS user_id,
  json_object(
    'userId', id, 'username', username, 'displayName', display_name, 'fullName', full_name, 'avatarUrl', avatar_url,
    'bio', bio, 'email', email, 'role', role, 'isVerified', json(iif(is_verified, 'true', 'false')),
    'accountStatus', account_status, 'isBanned', json(iif(banned_at IS NULL, 'false', 'true')), 'banReason', ban_reason
  ) AS data
FROM users;

CREATE VIEW room_event AS SELECT
  id AS room_id,
  iif(kind = 'course', 'course:' || course_id, 'room:' || coalesce(chosen_id, id)) AS subject,
  json_object(
    'roomId', coalesce(chosen_id, id), 'courseId', course_id, 'kind', kind, 'name', name, 'ownerId', owner_id
  ) AS data
FROM rooms;

CREATE TRIGGER webhook_user_registered AFTER INSERT ON users
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.registered') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.registered', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.id), 'data', json(data)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM user_event WHERE user_id = NEW.id;
END;

CREATE TRIGGER webhook_user_updated AFTER UPDATE OF username, email, full_name, display_name, bio, avatar_url, role, is_verified, account_status, banned_at
ON users
WHEN ((OLD.username, OLD.email, OLD.role, OLD.is_verified, OLD.account_status) IS NOT
    (NEW.username, NEW.email, NEW.role, NEW.is_verified, NEW.account_status)
    OR (OLD.full_name, OLD.display_name, OLD.bio, OLD.avatar_url) IS NOT (NEW.full_name, NEW.display_name, NEW.bio, NEW.avatar_url)
    OR (OLD.banned_at IS NOT NULL AND NEW.banned_at IS NULL))
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.updated') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.updated', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.id), 'data', json(data)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM user_event WHERE user_id = NEW.id;
END;

CREATE TRIGGER webhook_user_banned AFTER UPDATE OF banned_at ON users
WHEN OLD.banned_at IS NULL AND NEW.banned_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.banned') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.banned', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.id), 'data', json(data)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM user_event WHERE user_id = NEW.id;
END;

CREATE TRIGGER webhook_user_erased AFTER DELETE ON users
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.erased') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.erased', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', OLD.id), 'data', json_object('userId', OLD.id, 'username', OLD.username)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_user_online AFTER UPDATE OF connected_at ON users
WHEN OLD.connected_at IS NULL AND NEW.connected_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.online') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.online', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.id), 'data', json_object('userId', NEW.id, 'at', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.connected_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_user_offline AFTER UPDATE OF connected_at ON users
WHEN OLD.connected_at IS NOT NULL AND NEW.connected_at IS NULL
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.offline') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.offline', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.id), 'data', json_object('userId', NEW.id, 'lastSeen', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.last_seen_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_message_sent AFTER INSERT ON messages
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'message.sent') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'messages', json_object('type', 'message.sent', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('users:%d-%d', min(NEW.sender_id, NEW.receiver_id), max(NEW.sender_id, NEW.receiver_id)), 'data', json_object(
    'id', NEW.id, 'senderId', NEW.sender_id, 'receiverId', NEW.receiver_id, 'content', NEW.content, 'createdAt',
    strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_room_created AFTER INSERT ON rooms
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'room.created') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'rooms', json_object('type', 'room.created', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', subject, 'data', json(data)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM room_event WHERE room_id = NEW.id;
END;

CREATE TRIGGER webhook_room_deleted AFTER DELETE ON rooms
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'room.deleted') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'rooms', json_object('type', 'room.deleted', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', iif(OLD.kind = 'course', printf('course:%s', OLD.course_id), printf('room:%s', coalesce(OLD.chosen_id, OLD.id))), 'data', json_object(
    'roomId', coalesce(OLD.chosen_id, OLD.id), 'courseId', OLD.course_id, 'kind', OLD.kind, 'name', OLD.name)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_room_member_added AFTER INSERT ON room_members
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'room.member_added') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'rooms', json_object('type', 'room.member_added', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', subject, 'data', json_insert(json(data), '$.userId', NEW.user_id)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM room_event WHERE room_id = NEW.room_id;
END;

CREATE TRIGGER webhook_room_member_removed AFTER DELETE ON room_members
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'room.member_removed') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'rooms', json_object('type', 'room.member_removed', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', subject, 'data', json_insert(json(data), '$.userId', OLD.user_id)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM room_event WHERE room_id = OLD.room_id;
END;

CREATE TRIGGER webhook_stream_started AFTER UPDATE OF status ON streams
WHEN OLD.status <> 'live' AND NEW.status = 'live'
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'stream.started') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'streams', json_object('type', 'stream.started', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('stream:%d', NEW.id), 'data', json_object(
    'streamId', NEW.id, 'userId', NEW.user_id, 'title', NEW.title, 'startTime', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.started_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_stream_ended AFTER UPDATE OF status ON streams
WHEN OLD.status = 'live' AND NEW.status <> 'live'
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'stream.ended') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'streams', json_object('type', 'stream.ended', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('stream:%d', NEW.id), 'data', json_object(
    'streamId', NEW.id, 'userId', NEW.user_id, 'title', NEW.title, 'startTime', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.started_at / 1000.0, 'unixepoch'),
    'endTime', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.ended_at / 1000.0, 'unixepoch'), 'reason', NEW.end_reason, 'peakViewers', NEW.peak_viewers, 'plays', NEW.plays)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_vod_created AFTER INSERT ON vods
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'vod.created') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'streams', json_object('type', 'vod.created', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('stream:%d', NEW.stream_id), 'data', json_object(
    'vodId', NEW.id, 'streamId', NEW.stream_id, 'userId', NEW.user_id, 'title', NEW.title, 'duration', NEW.duration,
    'mimeType', NEW.mime_type, 'size', NEW.size)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_file_created AFTER INSERT ON files
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'file.created') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'files', json_object('type', 'file.created', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('file:%s', NEW.id), 'data', json_object(
    'fileId', NEW.id, 'ownerId', NEW.owner_id, 'name', NEW.name, 'folder', NEW.folder, 'mimeType', NEW.mime_type,
    'size', NEW.size, 'visibility', NEW.visibility)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_file_deleted AFTER DELETE ON files
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'file.deleted') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'files', json_object('type', 'file.deleted', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('file:%s', OLD.id), 'data', json_object(
    'fileId', OLD.id, 'ownerId', OLD.owner_id, 'name', OLD.name, 'folder', OLD.folder, 'mimeType', OLD.mime_type,
    'size', OLD.size, 'visibility', OLD.visibility)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_report_created AFTER INSERT ON reports
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'report.created') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'reports', json_object('type', 'report.created', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.reporter_id), 'data', json_object(
    'reportId', NEW.id, 'reporterId', NEW.reporter_id, 'targetType', NEW.target_type, 'targetId', NEW.target_id,
    'reason', NEW.reason, 'status', NEW.status, 'details', NEW.details)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_report_closed AFTER UPDATE OF status ON reports
WHEN OLD.status = 'pending' AND NEW.status <> 'pending'
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'report.closed') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'reports', json_object('type', 'report.closed', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.reporter_id), 'data', json_object(
    'reportId', NEW.id, 'reporterId', NEW.reporter_id, 'targetType', NEW.target_type, 'targetId', NEW.target_id,
    'reason', NEW.reason, 'status', NEW.status, 'result', NEW.result, 'resolvedBy', NEW.resolved_by)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_call_started AFTER INSERT ON webrtc_sessions
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'call.started') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'calls', json_object('type', 'call.started', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('call:%s', coalesce(NEW.chosen_id, NEW.id)), 'data', json_object(
    'sessionId', coalesce(NEW.chosen_id, NEW.id), 'hostId', nullif(NEW.host_id, 0), 'title', NEW.title, 'courseId', NEW.course_id,
    'startedAt', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

CREATE TRIGGER webhook_call_ended AFTER UPDATE OF ended_at ON webrtc_sessions
WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'call.ended') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'calls', json_object('type', 'call.ended', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('call:%s', coalesce(NEW.chosen_id, NEW.id)), 'data', json_object(
    'sessionId', coalesce(NEW.chosen_id, NEW.id), 'hostId', nullif(NEW.host_id, 0), 'title', NEW.title, 'courseId', NEW.course_id,
    'startedAt', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'),
    'endedAt', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.ended_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

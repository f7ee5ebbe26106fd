-- Every table of the database with its indexes and its triggers, as the migrations leave it, by name.
-- Generated: `npm run schema` writes it after a migration. Never applied; migrations/ is what counts.
-- "On INSERT: updates users" names what triggers do in the same transaction; "tells stream:…" is a row in the outbox.

-- ── account_tokens ──
-- Written by triggers on: users
CREATE TABLE account_tokens (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('verify', 'reset')),
  user_id INTEGER NOT NULL,
  email TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX account_tokens_user ON account_tokens (user_id);

-- ── address_bans ──
CREATE TABLE address_bans (
  address TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;

-- ── audit ──
-- On INSERT: updates stats_totals (stats_audit_insert)
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  admin_id INTEGER NOT NULL,
  admin_username TEXT NOT NULL,
  action TEXT NOT NULL,
  target_type TEXT NOT NULL,
  target_id TEXT NOT NULL,
  reason TEXT,
  details TEXT,
  request_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
, key_id TEXT, act_key TEXT);
CREATE UNIQUE INDEX audit_act ON audit (act_key) WHERE act_key IS NOT NULL;
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_admin ON audit (admin_id, id);
CREATE INDEX audit_target ON audit (target_type, target_id, id);
CREATE INDEX audit_target_type ON audit (target_type, id);
CREATE TRIGGER stats_audit_insert AFTER INSERT ON audit BEGIN
  UPDATE stats_totals SET audit = audit + 1;
END;

-- ── blocks ──
-- On DELETE: updates rooms, tells room:… (blocks_delete_room)
-- On INSERT: updates rooms, tells room:… (blocks_insert_room)
CREATE TABLE blocks (
  blocker_id INTEGER NOT NULL,
  blocked_id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (blocker_id, blocked_id)
) WITHOUT ROWID;
CREATE INDEX blocks_blocked ON blocks (blocked_id);
CREATE TRIGGER blocks_delete_room AFTER DELETE ON blocks BEGIN
  UPDATE rooms SET version = version + 1
    WHERE low_id = min(OLD.blocker_id, OLD.blocked_id) AND high_id = max(OLD.blocker_id, OLD.blocked_id);
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'room:' || r.id, json_object('facts', json(f.facts)), CAST(unixepoch('subsec') * 1000 AS INTEGER)
    FROM rooms r JOIN room_facts f ON f.room_id = r.id
    WHERE r.low_id = min(OLD.blocker_id, OLD.blocked_id) AND r.high_id = max(OLD.blocker_id, OLD.blocked_id);
END;
CREATE TRIGGER blocks_insert_room AFTER INSERT ON blocks BEGIN
  UPDATE rooms SET version = version + 1
    WHERE low_id = min(NEW.blocker_id, NEW.blocked_id) AND high_id = max(NEW.blocker_id, NEW.blocked_id);
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'room:' || r.id, json_object('facts', json(f.facts)), CAST(unixepoch('subsec') * 1000 AS INTEGER)
    FROM rooms r JOIN room_facts f ON f.room_id = r.id
    WHERE r.low_id = min(NEW.blocker_id, NEW.blocked_id) AND r.high_id = max(NEW.blocker_id, NEW.blocked_id);
END;

-- ── comments ──
-- On DELETE: updates stats_totals, updates stats_days (stats_comments_delete)
-- On DELETE: updates videos (comments_delete)
-- On INSERT: updates stats_totals, inserts into stats_days (stats_comments_insert)
-- On INSERT: updates videos (comments_insert)
-- Written by triggers on: videos
CREATE TABLE comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id INTEGER NOT NULL,
  author_id INTEGER NOT NULL,
  parent_id INTEGER,
  content TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX comments_author ON comments (author_id);
CREATE INDEX comments_parent ON comments (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX comments_video ON comments (video_id, id);
CREATE TRIGGER comments_delete AFTER DELETE ON comments BEGIN
  UPDATE videos SET comments = comments - 1 WHERE id = OLD.video_id;
END;
CREATE TRIGGER comments_insert AFTER INSERT ON comments BEGIN
  UPDATE videos SET comments = comments + 1 WHERE id = NEW.video_id;
END;
CREATE TRIGGER stats_comments_delete AFTER DELETE ON comments BEGIN
  UPDATE stats_totals SET comments = comments - 1;
  UPDATE stats_days SET comments = comments - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_comments_insert AFTER INSERT ON comments BEGIN
  UPDATE stats_totals SET comments = comments + 1;
  INSERT INTO stats_days (day, comments) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET comments = comments + 1;
END;

-- ── conversations ──
-- Written by triggers on: messages
CREATE TABLE conversations (
  low_id INTEGER NOT NULL,
  high_id INTEGER NOT NULL,
  last_message_id INTEGER NOT NULL,
  PRIMARY KEY (low_id, high_id)
) WITHOUT ROWID;
CREATE INDEX conversations_high ON conversations (high_id);

-- ── database_generation ──
CREATE TABLE database_generation (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  generation TEXT NOT NULL
);

-- ── deleted_ids ──
-- Written by triggers on: rooms, webrtc_sessions
CREATE TABLE deleted_ids (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- ── file_grants ──
-- Written by triggers on: files, rooms, streams
CREATE TABLE file_grants (
  id TEXT PRIMARY KEY,
  file_id TEXT NOT NULL,
  place TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX file_grants_file ON file_grants (file_id);
CREATE INDEX file_grants_place ON file_grants (place);

-- ── file_paths ──
CREATE TABLE file_paths (
  hash TEXT PRIMARY KEY,
  file_id TEXT NOT NULL
) WITHOUT ROWID;

-- ── file_usage ──
-- Written by triggers on: files, resumable_uploads, uploads, users
CREATE TABLE file_usage (
  user_id INTEGER PRIMARY KEY,
  file_count INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  reserved INTEGER NOT NULL DEFAULT 0
);

-- ── files ──
-- On DELETE: deletes from file_grants (files_delete_grants)
-- On DELETE: tells file:… (files_delete)
-- On DELETE: tells webhook:… (webhook_file_deleted)
-- On DELETE: updates file_usage (files_usage_delete)
-- On INSERT: inserts into file_usage (files_usage_insert)
-- On INSERT: tells webhook:… (webhook_file_created)
-- Written by triggers on: users, videos
CREATE TABLE files (
  id TEXT PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  folder TEXT NOT NULL,
  name TEXT NOT NULL,
  original_name TEXT NOT NULL,
  category TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  visibility TEXT NOT NULL DEFAULT 'private',
  -- Objects never change, so a copy of a file is a second row on the same object.
  key TEXT NOT NULL,
  created_at INTEGER NOT NULL
, folder_folded TEXT, name_folded TEXT, is_folded INTEGER NOT NULL DEFAULT 0, hidden_at INTEGER) WITHOUT ROWID;
CREATE INDEX files_key ON files (key);
CREATE INDEX files_owner ON files (owner_id, folder);
CREATE UNIQUE INDEX files_path ON files (folder, name);
CREATE UNIQUE INDEX files_path_folded ON files (folder_folded, name_folded);
CREATE INDEX files_unfolded ON files (id) WHERE is_folded = 0;
CREATE TRIGGER files_delete AFTER DELETE ON files
WHEN NOT EXISTS (SELECT 1 FROM files WHERE key = OLD.key)
BEGIN
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('file:' || OLD.key, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER files_delete_grants AFTER DELETE ON files BEGIN
  DELETE FROM file_grants WHERE file_id = OLD.id;
END;
CREATE TRIGGER files_usage_delete AFTER DELETE ON files BEGIN
  UPDATE file_usage SET file_count = file_count - 1, bytes = bytes - OLD.size WHERE user_id = OLD.owner_id;
END;
CREATE TRIGGER files_usage_insert AFTER INSERT ON files BEGIN
  INSERT INTO file_usage (user_id, file_count, bytes) VALUES (NEW.owner_id, 1, NEW.size)
  ON CONFLICT (user_id) DO UPDATE SET file_count = file_count + 1, bytes = bytes + NEW.size;
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

-- ── follows ──
-- On DELETE: updates stats_totals, updates stats_days (stats_follows_delete)
-- On DELETE: updates users (follows_delete)
-- On INSERT: updates stats_totals, inserts into stats_days (stats_follows_insert)
-- On INSERT: updates users (follows_insert)
CREATE TABLE follows (
  follower_id INTEGER NOT NULL,
  followed_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (follower_id, followed_id)
) WITHOUT ROWID;
CREATE INDEX follows_followed ON follows (followed_id, created_at);
CREATE INDEX follows_follower ON follows (follower_id, created_at);
CREATE TRIGGER follows_delete AFTER DELETE ON follows BEGIN
  UPDATE users SET following_count = following_count - 1 WHERE id = OLD.follower_id;
  UPDATE users SET follower_count = follower_count - 1 WHERE id = OLD.followed_id;
END;
CREATE TRIGGER follows_insert AFTER INSERT ON follows BEGIN
  UPDATE users SET following_count = following_count + 1 WHERE id = NEW.follower_id;
  UPDATE users SET follower_count = follower_count + 1 WHERE id = NEW.followed_id;
END;
CREATE TRIGGER stats_follows_delete AFTER DELETE ON follows BEGIN
  UPDATE stats_totals SET follows = follows - 1;
  UPDATE stats_days SET follows = follows - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_follows_insert AFTER INSERT ON follows BEGIN
  UPDATE stats_totals SET follows = follows + 1;
  INSERT INTO stats_days (day, follows) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET follows = follows + 1;
END;

-- ── friendships ──
CREATE TABLE friendships (
  low_id INTEGER NOT NULL,
  high_id INTEGER NOT NULL,
  requested_by INTEGER NOT NULL,
  status TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (low_id, high_id)
) WITHOUT ROWID;
CREATE INDEX friendships_high ON friendships (high_id);

-- ── identities ──
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id INTEGER NOT NULL, email TEXT, linked_at INTEGER,
  PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;
CREATE INDEX identities_user ON identities (user_id);

-- ── likes ──
-- On DELETE: updates stats_totals, updates stats_days (stats_likes_delete)
-- On DELETE: updates videos (likes_delete)
-- On INSERT: updates stats_totals, inserts into stats_days (stats_likes_insert)
-- On INSERT: updates videos (likes_insert)
-- Written by triggers on: videos
CREATE TABLE likes (
  video_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (video_id, user_id)
) WITHOUT ROWID;
CREATE INDEX likes_user ON likes (user_id);
CREATE TRIGGER likes_delete AFTER DELETE ON likes BEGIN
  UPDATE videos SET likes = likes - 1 WHERE id = OLD.video_id;
END;
CREATE TRIGGER likes_insert AFTER INSERT ON likes BEGIN
  UPDATE videos SET likes = likes + 1 WHERE id = NEW.video_id;
END;
CREATE TRIGGER stats_likes_delete AFTER DELETE ON likes BEGIN
  UPDATE stats_totals SET likes = likes - 1;
  UPDATE stats_days SET likes = likes - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_likes_insert AFTER INSERT ON likes BEGIN
  UPDATE stats_totals SET likes = likes + 1;
  INSERT INTO stats_days (day, likes) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET likes = likes + 1;
END;

-- ── list_totals ──
-- Written by triggers on: users
CREATE TABLE list_totals (
  list TEXT PRIMARY KEY,
  total INTEGER NOT NULL
) WITHOUT ROWID;

-- ── mail_outbox ──
-- Written by triggers on: users
CREATE TABLE mail_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  template TEXT NOT NULL,
  language TEXT NOT NULL,
  username TEXT NOT NULL,
  token_id TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  attempt_at INTEGER NOT NULL,
  sent_at INTEGER,
  parked_at INTEGER,
  reason TEXT
);
CREATE INDEX mail_outbox_due ON mail_outbox (attempt_at) WHERE sent_at IS NULL AND parked_at IS NULL;
CREATE INDEX mail_outbox_user ON mail_outbox (user_id);

-- ── message_hook ──
CREATE TABLE message_hook (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  timeout_ms INTEGER NOT NULL,
  on_failure TEXT NOT NULL,
  created_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);

-- ── messages ──
-- On INSERT: inserts into conversations (messages_insert)
-- On INSERT: tells webhook:… (webhook_message_sent)
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sender_id INTEGER NOT NULL,
  receiver_id INTEGER NOT NULL,
  content TEXT NOT NULL,
  client_message_id TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER
);
CREATE UNIQUE INDEX messages_once ON messages (sender_id, client_message_id) WHERE client_message_id IS NOT NULL;
CREATE INDEX messages_pair ON messages (min(sender_id, receiver_id), max(sender_id, receiver_id), id);
CREATE INDEX messages_received ON messages (receiver_id, id);
CREATE INDEX messages_unseen ON messages (receiver_id, sender_id, id) WHERE seen_at IS NULL;
CREATE TRIGGER messages_insert AFTER INSERT ON messages BEGIN
  INSERT INTO conversations (low_id, high_id, last_message_id)
  VALUES (min(NEW.sender_id, NEW.receiver_id), max(NEW.sender_id, NEW.receiver_id), NEW.id)
  ON CONFLICT (low_id, high_id) DO UPDATE SET last_message_id = excluded.last_message_id;
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

-- ── notifications ──
CREATE TABLE notifications (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  type TEXT NOT NULL,
  ref_id INTEGER NOT NULL,
  actor_id INTEGER,
  target_type TEXT NOT NULL,
  target_id INTEGER NOT NULL,
  target_title TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER
, room_id TEXT, message_id TEXT);
CREATE INDEX notifications_actor ON notifications (actor_id, type, ref_id, user_id);
CREATE UNIQUE INDEX notifications_room_message ON notifications (message_id, user_id) WHERE message_id IS NOT NULL;
CREATE INDEX notifications_unseen ON notifications (user_id, id) WHERE seen_at IS NULL;
CREATE INDEX notifications_user ON notifications (user_id, id);

-- ── outbox ──
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  target TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL
, attempts INTEGER NOT NULL DEFAULT 0, attempted_at INTEGER);
CREATE INDEX outbox_target ON outbox (target, id);

-- ── outbox_parked ──
CREATE TABLE outbox_parked (
  -- As it was in the outbox.
  id INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  reason TEXT NOT NULL,
  parked_at INTEGER NOT NULL
);

-- ── people_search ──
-- Written by triggers on: users
CREATE VIRTUAL TABLE people_search USING fts5 (
  username, display_name, full_name,
  content = 'users', content_rowid = 'id', tokenize = 'trigram', detail = full
);

-- ── publications ──
CREATE TABLE publications (
  key_id TEXT NOT NULL,
  dedupe_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  answer TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (key_id, dedupe_id)
) WITHOUT ROWID;
CREATE INDEX publications_created ON publications (created_at);

-- ── push_settings ──
CREATE TABLE push_settings (
  user_id INTEGER PRIMARY KEY,
  messages INTEGER NOT NULL DEFAULT 1,
  notifications INTEGER NOT NULL DEFAULT 1,
  quiet_from TEXT,
  quiet_to TEXT,
  time_zone TEXT
);

-- ── push_subscriptions ──
-- Written by triggers on: revoked_tokens, sessions
CREATE TABLE push_subscriptions (
  id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  endpoint_hash TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL,
  p256dh TEXT NOT NULL,
  auth TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);

-- ── rate_windows ──
CREATE TABLE rate_windows (
  key TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  count INTEGER NOT NULL
) WITHOUT ROWID;

-- ── reports ──
-- On DELETE: updates stats_reports, updates stats_days (stats_reports_delete)
-- On INSERT: inserts into stats_reports, inserts into stats_days (stats_reports_insert)
-- On INSERT: tells webhook:… (webhook_report_created)
-- On UPDATE OF status: tells webhook:… (webhook_report_closed)
-- On UPDATE OF status: updates stats_reports, inserts into stats_reports, updates stats_days, inserts into stats_days (stats_reports_status)
CREATE TABLE reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reporter_id INTEGER NOT NULL,
  target_type TEXT NOT NULL,
  target_id INTEGER NOT NULL,
  reason TEXT NOT NULL,
  details TEXT,
  status TEXT NOT NULL DEFAULT 'pending',
  result TEXT,
  resolved_by INTEGER,
  resolved_at INTEGER,
  created_at INTEGER NOT NULL
);
CREATE INDEX reports_by_status ON reports (status, created_at);
CREATE INDEX reports_by_status_type ON reports (status, target_type, created_at);
CREATE INDEX reports_by_type ON reports (target_type, created_at);
CREATE INDEX reports_created ON reports (created_at);
CREATE UNIQUE INDEX reports_pending ON reports (reporter_id, target_type, target_id) WHERE status = 'pending';
CREATE INDEX reports_reporter ON reports (reporter_id, id);
CREATE INDEX reports_target ON reports (target_type, target_id, id);
CREATE TRIGGER stats_reports_delete AFTER DELETE ON reports BEGIN
  UPDATE stats_reports SET count = count - 1 WHERE status = OLD.status AND target_type = OLD.target_type;
  UPDATE stats_days SET reports_pending = reports_pending - (OLD.status = 'pending'),
    reports_resolved = reports_resolved - (OLD.status = 'resolved'),
    reports_rejected = reports_rejected - (OLD.status = 'rejected')
    WHERE day = OLD.created_at / 86400000;
  UPDATE stats_days SET resolutions = resolutions - 1
    WHERE OLD.status = 'resolved' AND day = OLD.resolved_at / 86400000;
END;
CREATE TRIGGER stats_reports_insert AFTER INSERT ON reports BEGIN
  INSERT INTO stats_reports (status, target_type, count) VALUES (NEW.status, NEW.target_type, 1)
    ON CONFLICT (status, target_type) DO UPDATE SET count = count + 1;
  INSERT INTO stats_days (day, reports_pending, reports_resolved, reports_rejected)
    VALUES (NEW.created_at / 86400000, NEW.status = 'pending', NEW.status = 'resolved', NEW.status = 'rejected')
    ON CONFLICT (day) DO UPDATE SET reports_pending = reports_pending + excluded.reports_pending,
      reports_resolved = reports_resolved + excluded.reports_resolved,
      reports_rejected = reports_rejected + excluded.reports_rejected;
  INSERT INTO stats_days (day, resolutions)
    SELECT NEW.resolved_at / 86400000, 1 WHERE NEW.status = 'resolved' AND NEW.resolved_at IS NOT NULL
    ON CONFLICT (day) DO UPDATE SET resolutions = resolutions + 1;
END;
CREATE TRIGGER stats_reports_status AFTER UPDATE OF status ON reports WHEN NEW.status <> OLD.status BEGIN
  UPDATE stats_reports SET count = count - 1 WHERE status = OLD.status AND target_type = OLD.target_type;
  INSERT INTO stats_reports (status, target_type, count) VALUES (NEW.status, NEW.target_type, 1)
    ON CONFLICT (status, target_type) DO UPDATE SET count = count + 1;
  UPDATE stats_days SET
    reports_pending = reports_pending - (OLD.status = 'pending') + (NEW.status = 'pending'),
    reports_resolved = reports_resolved - (OLD.status = 'resolved') + (NEW.status = 'resolved'),
    reports_rejected = reports_rejected - (OLD.status = 'rejected') + (NEW.status = 'rejected')
    WHERE day = OLD.created_at / 86400000;
  UPDATE stats_days SET resolutions = resolutions - 1
    WHERE OLD.status = 'resolved' AND day = OLD.resolved_at / 86400000;
  INSERT INTO stats_days (day, resolutions)
    SELECT NEW.resolved_at / 86400000, 1 WHERE NEW.status = 'resolved' AND NEW.resolved_at IS NOT NULL
    ON CONFLICT (day) DO UPDATE SET resolutions = resolutions + 1;
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
CREATE TRIGGER webhook_report_created AFTER INSERT ON reports
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'report.created') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'reports', json_object('type', 'report.created', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.reporter_id), 'data', json_object(
    'reportId', NEW.id, 'reporterId', NEW.reporter_id, 'targetType', NEW.target_type, 'targetId', NEW.target_id,
    'reason', NEW.reason, 'status', NEW.status, 'details', NEW.details)),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

-- ── resumable_uploads ──
-- On DELETE: updates file_usage (resumable_uploads_release)
-- On INSERT: inserts into file_usage (resumable_uploads_reserve)
-- On UPDATE OF file_id: updates file_usage (resumable_uploads_become_file)
CREATE TABLE resumable_uploads (
  id TEXT PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  upload_id TEXT,
  length INTEGER NOT NULL,
  offset INTEGER NOT NULL DEFAULT 0,
  parts TEXT NOT NULL DEFAULT '[]',
  tail_place INTEGER NOT NULL DEFAULT 0,
  original_name TEXT NOT NULL,
  folder TEXT NOT NULL,
  visibility TEXT NOT NULL,
  metadata TEXT NOT NULL,
  locked_by TEXT,
  locked_until INTEGER NOT NULL DEFAULT 0,
  file_id TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX resumable_uploads_expiry ON resumable_uploads (expires_at);
CREATE INDEX resumable_uploads_owner ON resumable_uploads (owner_id);
CREATE TRIGGER resumable_uploads_become_file AFTER UPDATE OF file_id ON resumable_uploads
WHEN OLD.file_id IS NULL AND NEW.file_id IS NOT NULL BEGIN
  UPDATE file_usage SET reserved = reserved - NEW.length WHERE user_id = NEW.owner_id;
END;
CREATE TRIGGER resumable_uploads_release AFTER DELETE ON resumable_uploads WHEN OLD.file_id IS NULL BEGIN
  UPDATE file_usage SET reserved = reserved - OLD.length WHERE user_id = OLD.owner_id;
END;
CREATE TRIGGER resumable_uploads_reserve AFTER INSERT ON resumable_uploads BEGIN
  INSERT INTO file_usage (user_id, reserved) VALUES (NEW.owner_id, NEW.length)
  ON CONFLICT (user_id) DO UPDATE SET reserved = reserved + NEW.length;
END;

-- ── revoked_tokens ──
-- On INSERT: deletes from push_subscriptions (revoked_tokens_insert_push)
CREATE TABLE revoked_tokens (
  hash TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER revoked_tokens_insert_push AFTER INSERT ON revoked_tokens BEGIN
  DELETE FROM push_subscriptions WHERE session_id = 'outside:' || NEW.hash
    OR (session_id >= 'outside:' || NEW.hash || ':' AND session_id < 'outside:' || NEW.hash || ';');
END;

-- ── room_departures ──
-- Written by triggers on: room_members, rooms
CREATE TABLE room_departures (
  room_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) WITHOUT ROWID;

-- ── room_members ──
-- On DELETE: inserts into room_departures (room_members_depart)
-- On DELETE: tells webhook:… (webhook_room_member_removed)
-- On DELETE: updates rooms (room_members_delete)
-- On INSERT: tells webhook:… (webhook_room_member_added)
-- On INSERT: updates rooms (room_members_insert)
-- Written by triggers on: rooms
CREATE TABLE room_members (
  room_id TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  joined_at INTEGER NOT NULL,
  read_seq INTEGER NOT NULL DEFAULT 0,
  read_count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_members_user ON room_members (user_id);
CREATE TRIGGER room_members_delete AFTER DELETE ON room_members BEGIN
  UPDATE rooms SET member_count = member_count - 1 WHERE id = OLD.room_id;
END;
CREATE TRIGGER room_members_depart AFTER DELETE ON room_members
WHEN EXISTS (SELECT 1 FROM rooms WHERE id = OLD.room_id) BEGIN
  INSERT INTO room_departures (room_id, at) VALUES (OLD.room_id, CAST(unixepoch('subsec') * 1000 AS INTEGER))
  ON CONFLICT (room_id) DO UPDATE SET at = excluded.at;
END;
CREATE TRIGGER room_members_insert AFTER INSERT ON room_members BEGIN
  UPDATE rooms SET member_count = member_count + 1 WHERE id = NEW.room_id;
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

-- ── room_removals ──
-- Written by triggers on: rooms
CREATE TABLE room_removals (
  room_id TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_removals_user ON room_removals (user_id);

-- ── rooms ──
-- On DELETE: deletes from file_grants, deletes from room_departures (rooms_delete_grants)
-- On DELETE: deletes from room_members, deletes from room_removals, inserts into deleted_ids (rooms_delete)
-- On DELETE: tells webhook:… (webhook_room_deleted)
-- On INSERT: tells webhook:… (webhook_room_created)
-- Written by triggers on: blocks, room_members
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
, chosen_id TEXT, is_unclaimed INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX rooms_chosen ON rooms (chosen_id) WHERE chosen_id IS NOT NULL;
CREATE UNIQUE INDEX rooms_course ON rooms (course_id) WHERE course_id IS NOT NULL;
CREATE INDEX rooms_owner ON rooms (owner_id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX rooms_pair ON rooms (low_id, high_id) WHERE low_id IS NOT NULL;
CREATE TRIGGER rooms_delete AFTER DELETE ON rooms BEGIN
  DELETE FROM room_members WHERE room_id = OLD.id;
  DELETE FROM room_removals WHERE room_id = OLD.id;
  INSERT OR IGNORE INTO deleted_ids (kind, id) VALUES (
    CASE OLD.kind WHEN 'course' THEN 'course' ELSE 'room' END,
    coalesce(OLD.course_id, OLD.chosen_id, OLD.id)
  );
END;
CREATE TRIGGER rooms_delete_grants AFTER DELETE ON rooms BEGIN
  DELETE FROM file_grants WHERE place = 'room:' || OLD.id;
  DELETE FROM room_departures WHERE room_id = OLD.id;
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

-- ── server_keys ──
CREATE TABLE server_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
) WITHOUT ROWID;

-- ── sessions ──
-- On DELETE: deletes from push_subscriptions (sessions_delete_push)
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
, user_agent TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '', last_used_at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE TRIGGER sessions_delete_push AFTER DELETE ON sessions BEGIN
  DELETE FROM push_subscriptions WHERE session_id = OLD.id;
END;

-- ── sign_in_codes ──
CREATE TABLE sign_in_codes (
  hash TEXT PRIMARY KEY,
  code_challenge TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  username TEXT,
  display_name TEXT,
  email TEXT,
  email_verified INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- ── sign_in_states ──
CREATE TABLE sign_in_states (
  hash TEXT PRIMARY KEY,
  browser_hash TEXT NOT NULL,
  provider TEXT NOT NULL,
  redirect TEXT NOT NULL,
  code_challenge TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- ── socket_tickets ──
CREATE TABLE socket_tickets (
  hash TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  token_expires_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- ── stats_days ──
-- Written by triggers on: comments, follows, likes, reports, users, video_views, videos
CREATE TABLE stats_days (
  day INTEGER PRIMARY KEY,
  users_new INTEGER NOT NULL DEFAULT 0,
  users_active INTEGER NOT NULL DEFAULT 0,
  users_last_active INTEGER NOT NULL DEFAULT 0,
  videos_new INTEGER NOT NULL DEFAULT 0,
  views INTEGER NOT NULL DEFAULT 0,
  likes INTEGER NOT NULL DEFAULT 0,
  comments INTEGER NOT NULL DEFAULT 0,
  follows INTEGER NOT NULL DEFAULT 0,
  reports_pending INTEGER NOT NULL DEFAULT 0,
  reports_resolved INTEGER NOT NULL DEFAULT 0,
  reports_rejected INTEGER NOT NULL DEFAULT 0,
  resolutions INTEGER NOT NULL DEFAULT 0
);

-- ── stats_reports ──
-- Written by triggers on: reports
CREATE TABLE stats_reports (
  status TEXT NOT NULL,
  target_type TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (status, target_type)
) WITHOUT ROWID;

-- ── stats_totals ──
-- Written by triggers on: audit, comments, follows, likes, users, videos
CREATE TABLE stats_totals (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  users INTEGER NOT NULL,
  users_active INTEGER NOT NULL,
  users_banned INTEGER NOT NULL,
  videos INTEGER NOT NULL,
  videos_public INTEGER NOT NULL,
  likes INTEGER NOT NULL,
  comments INTEGER NOT NULL,
  follows INTEGER NOT NULL,
  views INTEGER NOT NULL,
  audit INTEGER NOT NULL
);

-- ── stream_early_ends ──
-- Written by triggers on: streams
CREATE TABLE stream_early_ends (
  stream_id INTEGER NOT NULL,
  session TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (stream_id, session)
) WITHOUT ROWID;

-- ── stream_events ──
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
CREATE UNIQUE INDEX stream_events_signature ON stream_events (signature) WHERE signature IS NOT NULL;
CREATE INDEX stream_events_stream ON stream_events (stream_id, id);

-- ── stream_players ──
-- On DELETE: updates streams (stream_players_delete)
-- On INSERT: updates streams (stream_players_insert)
-- Written by triggers on: streams
CREATE TABLE stream_players (
  stream_id INTEGER NOT NULL,
  session TEXT NOT NULL,
  PRIMARY KEY (stream_id, session)
) WITHOUT ROWID;
CREATE TRIGGER stream_players_delete AFTER DELETE ON stream_players
WHEN (SELECT session FROM streams WHERE id = OLD.stream_id) IS NOT NULL BEGIN
  UPDATE streams SET players = players - 1 WHERE id = OLD.stream_id;
END;
CREATE TRIGGER stream_players_insert AFTER INSERT ON stream_players BEGIN
  UPDATE streams SET players = players + 1, plays = plays + 1, peak_viewers = max(peak_viewers, players + 1)
  WHERE id = NEW.stream_id;
END;

-- ── stream_sessions ──
-- Written by triggers on: streams
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

-- ── streams ──
-- On DELETE: deletes from file_grants (streams_delete_grants)
-- On DELETE: deletes from stream_sessions, deletes from stream_early_ends, deletes from stream_players, deletes from vods, tells stream:… (streams_delete)
-- On DELETE: updates versions (streams_version_delete)
-- On INSERT: updates versions (streams_version_insert)
-- On UPDATE OF players, room_viewers: updates versions (streams_version_viewers)
-- On UPDATE OF players: tells stream:… (streams_players)
-- On UPDATE OF session: updates stream_sessions, inserts into stream_sessions, deletes from stream_players, updates streams (streams_session)
-- On UPDATE OF status, started_at, ended_at, title, description, thumbnail, scheduled_at: updates versions (streams_version_update)
-- On UPDATE OF status, started_at: tells stream:… (streams_status)
-- On UPDATE OF status: tells webhook:… (webhook_stream_ended)
-- On UPDATE OF status: tells webhook:… (webhook_stream_started)
-- Written by triggers on: stream_players, streams, users
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
CREATE INDEX streams_lease ON streams (lease_until) WHERE status = 'live' AND lease_until IS NOT NULL;
CREATE INDEX streams_scheduled ON streams (scheduled_at) WHERE started_at IS NULL AND scheduled_at IS NOT NULL;
CREATE INDEX streams_status ON streams (status, started_at);
CREATE INDEX streams_user ON streams (user_id);
CREATE TRIGGER streams_delete AFTER DELETE ON streams BEGIN
  DELETE FROM stream_sessions WHERE stream_id = OLD.id;
  DELETE FROM stream_early_ends WHERE stream_id = OLD.id;
  DELETE FROM stream_players WHERE stream_id = OLD.id;
  DELETE FROM vods WHERE stream_id = OLD.id;
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('stream:' || OLD.id, '{"type":"stream:deleted"}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER streams_delete_grants AFTER DELETE ON streams BEGIN
  DELETE FROM file_grants WHERE place = 'stream:' || OLD.id;
END;
CREATE TRIGGER streams_players AFTER UPDATE OF players ON streams WHEN OLD.players <> NEW.players BEGIN
  INSERT INTO outbox (target, payload, created_at) VALUES (
    'stream:' || NEW.id,
    json_object('type', 'stream:players', 'players', NEW.players),
    CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
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
CREATE TRIGGER streams_version_delete AFTER DELETE ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'streams';
END;
CREATE TRIGGER streams_version_insert AFTER INSERT ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'streams';
END;
CREATE TRIGGER streams_version_update
AFTER UPDATE OF status, started_at, ended_at, title, description, thumbnail, scheduled_at ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'streams';
END;
CREATE TRIGGER streams_version_viewers AFTER UPDATE OF players, room_viewers ON streams BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'viewers';
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
CREATE TRIGGER webhook_stream_started AFTER UPDATE OF status ON streams
WHEN OLD.status <> 'live' AND NEW.status = 'live'
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'stream.started') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'streams', json_object('type', 'stream.started', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('stream:%d', NEW.id), 'data', json_object(
    'streamId', NEW.id, 'userId', NEW.user_id, 'title', NEW.title, 'startTime', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.started_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;

-- ── uploads ──
-- On DELETE: updates file_usage (uploads_release)
-- On INSERT: inserts into file_usage (uploads_reserve)
-- On UPDATE OF reserved: updates file_usage (uploads_reserve_change)
CREATE TABLE uploads (
  key TEXT PRIMARY KEY,
  upload_id TEXT,
  started_at INTEGER NOT NULL
, owner_id INTEGER, reserved INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX uploads_started ON uploads (started_at);
CREATE TRIGGER uploads_release AFTER DELETE ON uploads WHEN OLD.reserved > 0 BEGIN
  UPDATE file_usage SET reserved = reserved - OLD.reserved WHERE user_id = OLD.owner_id;
END;
CREATE TRIGGER uploads_reserve AFTER INSERT ON uploads WHEN NEW.reserved > 0 BEGIN
  INSERT INTO file_usage (user_id, reserved) VALUES (NEW.owner_id, NEW.reserved)
  ON CONFLICT (user_id) DO UPDATE SET reserved = reserved + NEW.reserved;
END;
CREATE TRIGGER uploads_reserve_change AFTER UPDATE OF reserved ON uploads BEGIN
  UPDATE file_usage SET reserved = reserved + NEW.reserved - OLD.reserved WHERE user_id = NEW.owner_id;
END;

-- ── user_references ──
CREATE TABLE "user_references" (
  user_id INTEGER NOT NULL,
  -- As in the outbox: `stream:<id>`, `webrtc:<id>`.
  target TEXT NOT NULL,
  PRIMARY KEY (user_id, target)
) WITHOUT ROWID;

-- ── users ──
-- On DELETE: deletes from account_tokens, deletes from mail_outbox (users_delete_mail)
-- On DELETE: deletes from file_usage (users_delete_file_usage)
-- On DELETE: deletes from files, tells erase:… (users_delete_files)
-- On DELETE: deletes from streams (users_take_streams)
-- On DELETE: inserts into people_search (users_searched_delete)
-- On DELETE: inserts into users_search (users_search_delete)
-- On DELETE: tells webhook:… (webhook_user_erased)
-- On DELETE: updates list_totals (users_listed_delete)
-- On DELETE: updates stats_totals, updates stats_days (stats_users_delete)
-- On INSERT: inserts into people_search (users_searched_insert)
-- On INSERT: inserts into users_search (users_search_insert)
-- On INSERT: tells webhook:… (webhook_user_registered)
-- On INSERT: updates list_totals (users_listed_insert)
-- On INSERT: updates stats_totals, inserts into stats_days (stats_users_insert)
-- On UPDATE OF account_status, banned_at: updates stats_totals (stats_users_standing)
-- On UPDATE OF account_status: updates list_totals (users_listed_status)
-- On UPDATE OF banned_at, account_status: updates streams (users_leave_air)
-- On UPDATE OF banned_at: tells webhook:… (webhook_user_banned)
-- On UPDATE OF connected_at: tells webhook:… (webhook_user_offline)
-- On UPDATE OF connected_at: tells webhook:… (webhook_user_online)
-- On UPDATE OF last_active_at: updates stats_days, inserts into stats_days (stats_users_activity)
-- On UPDATE OF public_video_count: updates list_totals (users_listed_videos)
-- On UPDATE OF username, display_name, full_name, display_name_folded, full_name_folded: inserts into people_search (users_searched_update)
-- On UPDATE OF username, email, full_name, display_name, bio, avatar_url, role, is_verified, account_status, banned_at: tells webhook:… (webhook_user_updated)
-- On UPDATE OF username, email, full_name, full_name_folded: inserts into users_search (users_search_update)
-- Written by triggers on: follows, videos
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT,
  password_hash TEXT,
  full_name TEXT,
  display_name TEXT,
  bio TEXT,
  avatar_url TEXT,
  role TEXT NOT NULL DEFAULT 'user',
  account_status TEXT NOT NULL DEFAULT 'active',
  is_verified INTEGER NOT NULL DEFAULT 0,
  banned_at INTEGER,
  ban_reason TEXT,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER,
  last_active_at INTEGER,
  online_until INTEGER,
  connected_at INTEGER,
  follower_count INTEGER NOT NULL DEFAULT 0,
  following_count INTEGER NOT NULL DEFAULT 0,
  video_count INTEGER NOT NULL DEFAULT 0
, public_video_count INTEGER NOT NULL DEFAULT 0, display_name_folded TEXT, full_name_folded TEXT, is_folded INTEGER NOT NULL DEFAULT 0, role_set_at INTEGER, email_verified_at INTEGER, pending_email TEXT);
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';
CREATE INDEX users_banned_created ON users (created_at) WHERE banned_at IS NOT NULL;
CREATE INDEX users_banned_followers ON users (follower_count) WHERE banned_at IS NOT NULL;
CREATE INDEX users_banned_username ON users (username COLLATE NOCASE) WHERE banned_at IS NOT NULL;
CREATE INDEX users_created ON users (created_at);
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE);
CREATE INDEX users_followers ON users (follower_count);
CREATE INDEX users_unfolded ON users (id) WHERE is_folded = 0;
CREATE UNIQUE INDEX users_username ON users (username COLLATE NOCASE);
CREATE TRIGGER stats_users_activity AFTER UPDATE OF last_active_at ON users
WHEN NEW.last_active_at / 86400000 IS NOT OLD.last_active_at / 86400000 BEGIN
  UPDATE stats_days SET users_last_active = users_last_active - 1 WHERE day = OLD.last_active_at / 86400000;
  INSERT INTO stats_days (day, users_active, users_last_active)
    SELECT NEW.last_active_at / 86400000, 1, 1 WHERE NEW.last_active_at IS NOT NULL
    ON CONFLICT (day) DO UPDATE SET users_active = users_active + 1, users_last_active = users_last_active + 1;
END;
CREATE TRIGGER stats_users_delete AFTER DELETE ON users BEGIN
  UPDATE stats_totals SET users = users - 1,
    users_active = users_active - (OLD.account_status = 'active' AND OLD.banned_at IS NULL),
    users_banned = users_banned - (OLD.banned_at IS NOT NULL);
  UPDATE stats_days SET users_new = users_new - 1 WHERE day = OLD.created_at / 86400000;
  UPDATE stats_days SET users_active = users_active - 1, users_last_active = users_last_active - 1
    WHERE day = OLD.last_active_at / 86400000;
END;
CREATE TRIGGER stats_users_insert AFTER INSERT ON users BEGIN
  UPDATE stats_totals SET users = users + 1,
    users_active = users_active + (NEW.account_status = 'active' AND NEW.banned_at IS NULL),
    users_banned = users_banned + (NEW.banned_at IS NOT NULL);
  INSERT INTO stats_days (day, users_new) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET users_new = users_new + 1;
  INSERT INTO stats_days (day, users_active, users_last_active)
    SELECT NEW.last_active_at / 86400000, 1, 1 WHERE NEW.last_active_at IS NOT NULL
    ON CONFLICT (day) DO UPDATE SET users_active = users_active + 1, users_last_active = users_last_active + 1;
END;
CREATE TRIGGER stats_users_standing AFTER UPDATE OF account_status, banned_at ON users BEGIN
  UPDATE stats_totals SET
    users_active = users_active - (OLD.account_status = 'active' AND OLD.banned_at IS NULL)
      + (NEW.account_status = 'active' AND NEW.banned_at IS NULL),
    users_banned = users_banned - (OLD.banned_at IS NOT NULL) + (NEW.banned_at IS NOT NULL);
END;
CREATE TRIGGER users_delete_file_usage AFTER DELETE ON users BEGIN
  DELETE FROM file_usage WHERE user_id = OLD.id;
END;
CREATE TRIGGER users_delete_files AFTER DELETE ON users BEGIN
  DELETE FROM files WHERE id IN (SELECT id FROM files WHERE owner_id = OLD.id LIMIT 500);
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'erase:' || OLD.id, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE EXISTS (SELECT 1 FROM files WHERE owner_id = OLD.id);
END;
CREATE TRIGGER users_delete_mail AFTER DELETE ON users BEGIN
  DELETE FROM account_tokens WHERE user_id = OLD.id;
  DELETE FROM mail_outbox WHERE user_id = OLD.id;
END;
CREATE TRIGGER users_leave_air AFTER UPDATE OF banned_at, account_status ON users
WHEN NEW.banned_at IS NOT NULL OR NEW.account_status <> 'active' BEGIN
  UPDATE streams SET status = 'ended', session = NULL, end_reason = 'banned', lease_until = NULL,
    ended_at = CAST(unixepoch('subsec') * 1000 AS INTEGER), updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE user_id = NEW.id AND status = 'live';
END;
CREATE TRIGGER users_listed_delete AFTER DELETE ON users WHEN OLD.account_status = 'active' BEGIN
  UPDATE list_totals SET total = total - 1 WHERE list = 'people';
  UPDATE list_totals SET total = total - OLD.public_video_count WHERE list = 'videos';
END;
CREATE TRIGGER users_listed_insert AFTER INSERT ON users WHEN NEW.account_status = 'active' BEGIN
  UPDATE list_totals SET total = total + 1 WHERE list = 'people';
END;
CREATE TRIGGER users_listed_status AFTER UPDATE OF account_status ON users
WHEN (OLD.account_status = 'active') <> (NEW.account_status = 'active') BEGIN
  UPDATE list_totals SET total = total + iif(NEW.account_status = 'active', 1, -1) WHERE list = 'people';
  UPDATE list_totals SET total = total + iif(NEW.account_status = 'active', 1, -1) * NEW.public_video_count
  WHERE list = 'videos';
END;
CREATE TRIGGER users_listed_videos AFTER UPDATE OF public_video_count ON users WHEN NEW.account_status = 'active' BEGIN
  UPDATE list_totals SET total = total + NEW.public_video_count - OLD.public_video_count WHERE list = 'videos';
END;
CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
  INSERT INTO users_search (users_search, rowid, username, email, full_name)
  VALUES ('delete', OLD.id, OLD.username, OLD.email, coalesce(OLD.full_name_folded, OLD.full_name));
END;
CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN
  INSERT INTO users_search (rowid, username, email, full_name)
  VALUES (NEW.id, NEW.username, NEW.email, coalesce(NEW.full_name_folded, NEW.full_name));
END;
CREATE TRIGGER users_search_update AFTER UPDATE OF username, email, full_name, full_name_folded ON users
WHEN NEW.username IS NOT OLD.username OR NEW.email IS NOT OLD.email OR NEW.full_name IS NOT OLD.full_name
  OR NEW.full_name_folded IS NOT OLD.full_name_folded BEGIN
  INSERT INTO users_search (users_search, rowid, username, email, full_name)
  VALUES ('delete', OLD.id, OLD.username, OLD.email, coalesce(OLD.full_name_folded, OLD.full_name));
  INSERT INTO users_search (rowid, username, email, full_name)
  VALUES (NEW.id, NEW.username, NEW.email, coalesce(NEW.full_name_folded, NEW.full_name));
END;
CREATE TRIGGER users_searched_delete AFTER DELETE ON users BEGIN
  INSERT INTO people_search (people_search, rowid, username, display_name, full_name)
  VALUES ('delete', OLD.id, OLD.username, coalesce(OLD.display_name_folded, OLD.display_name),
    coalesce(OLD.full_name_folded, OLD.full_name));
END;
CREATE TRIGGER users_searched_insert AFTER INSERT ON users BEGIN
  INSERT INTO people_search (rowid, username, display_name, full_name)
  VALUES (NEW.id, NEW.username, coalesce(NEW.display_name_folded, NEW.display_name),
    coalesce(NEW.full_name_folded, NEW.full_name));
END;
CREATE TRIGGER users_searched_update
AFTER UPDATE OF username, display_name, full_name, display_name_folded, full_name_folded ON users
WHEN NEW.username IS NOT OLD.username OR NEW.display_name IS NOT OLD.display_name OR NEW.full_name IS NOT OLD.full_name
  OR NEW.display_name_folded IS NOT OLD.display_name_folded OR NEW.full_name_folded IS NOT OLD.full_name_folded BEGIN
  INSERT INTO people_search (people_search, rowid, username, display_name, full_name)
  VALUES ('delete', OLD.id, OLD.username, coalesce(OLD.display_name_folded, OLD.display_name),
    coalesce(OLD.full_name_folded, OLD.full_name));
  INSERT INTO people_search (rowid, username, display_name, full_name)
  VALUES (NEW.id, NEW.username, coalesce(NEW.display_name_folded, NEW.display_name),
    coalesce(NEW.full_name_folded, NEW.full_name));
END;
CREATE TRIGGER users_take_streams AFTER DELETE ON users BEGIN
  DELETE FROM streams WHERE user_id = OLD.id;
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
CREATE TRIGGER webhook_user_offline AFTER UPDATE OF connected_at ON users
WHEN OLD.connected_at IS NOT NULL AND NEW.connected_at IS NULL
  AND EXISTS (SELECT 1 FROM webhook_events WHERE event = 'user.offline') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'users', json_object('type', 'user.offline', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('user:%d', NEW.id), 'data', json_object('userId', NEW.id, 'lastSeen', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.last_seen_at / 1000.0, 'unixepoch'))),
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

-- ── users_search ──
-- Written by triggers on: users
CREATE VIRTUAL TABLE users_search USING fts5 (
  username, email, full_name, content = 'users', content_rowid = 'id', tokenize = 'trigram', columnsize = 0
);

-- ── versions ──
-- Written by triggers on: streams, vods
CREATE TABLE versions (
  kind TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) WITHOUT ROWID;

-- ── video_views ──
-- On INSERT: inserts into stats_days (stats_views_insert)
-- On INSERT: updates videos (video_views_insert)
-- On UPDATE OF counted_at: inserts into stats_days (stats_views_update)
-- On UPDATE OF counted_at: updates videos (video_views_update)
-- Written by triggers on: videos
CREATE TABLE video_views (
  video_id INTEGER NOT NULL,
  viewer TEXT NOT NULL,
  counted_at INTEGER NOT NULL,
  PRIMARY KEY (video_id, viewer)
) WITHOUT ROWID;
CREATE INDEX video_views_counted ON video_views (counted_at);
CREATE TRIGGER stats_views_insert AFTER INSERT ON video_views BEGIN
  INSERT INTO stats_days (day, views) VALUES (NEW.counted_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET views = views + 1;
END;
CREATE TRIGGER stats_views_update AFTER UPDATE OF counted_at ON video_views BEGIN
  INSERT INTO stats_days (day, views) VALUES (NEW.counted_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET views = views + 1;
END;
CREATE TRIGGER video_views_insert AFTER INSERT ON video_views BEGIN
  UPDATE videos SET views = views + 1 WHERE id = NEW.video_id;
END;
CREATE TRIGGER video_views_update AFTER UPDATE OF counted_at ON video_views BEGIN
  UPDATE videos SET views = views + 1 WHERE id = NEW.video_id;
END;

-- ── videos ──
-- On DELETE: deletes from files (videos_delete_files)
-- On DELETE: inserts into videos_search (videos_search_delete)
-- On DELETE: updates stats_totals, updates stats_days (stats_videos_delete)
-- On DELETE: updates users (videos_public_delete)
-- On DELETE: updates users, deletes from likes, deletes from comments, deletes from video_views, tells orphans:… (videos_delete)
-- On INSERT: inserts into videos_search (videos_search_insert)
-- On INSERT: updates stats_totals, inserts into stats_days (stats_videos_insert)
-- On INSERT: updates users (videos_insert)
-- On INSERT: updates users (videos_public_insert)
-- On UPDATE OF title, description, title_folded, description_folded: inserts into videos_search (videos_search_update)
-- On UPDATE OF views: updates stats_totals (stats_videos_views)
-- On UPDATE OF visibility: updates files (videos_visibility_files)
-- On UPDATE OF visibility: updates stats_totals (stats_videos_visibility)
-- On UPDATE OF visibility: updates users (videos_public_update)
-- Written by triggers on: comments, likes, video_views
CREATE TABLE videos (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  video_url TEXT NOT NULL,
  thumb_url TEXT,
  file_id TEXT,
  thumb_file_id TEXT,
  visibility TEXT NOT NULL DEFAULT 'public',
  duration REAL,
  views INTEGER NOT NULL DEFAULT 0,
  likes INTEGER NOT NULL DEFAULT 0,
  comments INTEGER NOT NULL DEFAULT 0,
  shares INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
, title_folded TEXT, description_folded TEXT, is_folded INTEGER NOT NULL DEFAULT 0, hidden_at INTEGER);
CREATE INDEX videos_by_comments ON videos (comments);
CREATE INDEX videos_by_likes ON videos (likes);
CREATE INDEX videos_by_views ON videos (views);
CREATE INDEX videos_created ON videos (created_at);
CREATE INDEX videos_file ON videos (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX videos_owner ON videos (owner_id, id);
CREATE INDEX videos_private_by_comments ON videos (comments) WHERE visibility <> 'public';
CREATE INDEX videos_private_by_likes ON videos (likes) WHERE visibility <> 'public';
CREATE INDEX videos_private_by_views ON videos (views) WHERE visibility <> 'public';
CREATE INDEX videos_private_created ON videos (created_at) WHERE visibility <> 'public';
CREATE INDEX videos_thumb ON videos (thumb_file_id) WHERE thumb_file_id IS NOT NULL;
CREATE INDEX videos_unfolded ON videos (id) WHERE is_folded = 0;
CREATE INDEX videos_visibility ON videos (visibility, id);
CREATE TRIGGER stats_videos_delete AFTER DELETE ON videos BEGIN
  UPDATE stats_totals SET videos = videos - 1, videos_public = videos_public - (OLD.visibility = 'public'),
    views = views - OLD.views;
  UPDATE stats_days SET videos_new = videos_new - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_videos_insert AFTER INSERT ON videos BEGIN
  UPDATE stats_totals SET videos = videos + 1, videos_public = videos_public + (NEW.visibility = 'public'),
    views = views + NEW.views;
  INSERT INTO stats_days (day, videos_new) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET videos_new = videos_new + 1;
END;
CREATE TRIGGER stats_videos_views AFTER UPDATE OF views ON videos WHEN NEW.views <> OLD.views BEGIN
  UPDATE stats_totals SET views = views - OLD.views + NEW.views;
END;
CREATE TRIGGER stats_videos_visibility AFTER UPDATE OF visibility ON videos WHEN NEW.visibility <> OLD.visibility BEGIN
  UPDATE stats_totals SET videos_public = videos_public - (OLD.visibility = 'public') + (NEW.visibility = 'public');
END;
CREATE TRIGGER videos_delete AFTER DELETE ON videos BEGIN
  UPDATE users SET video_count = video_count - 1 WHERE id = OLD.owner_id;
  DELETE FROM likes WHERE video_id = OLD.id
    AND user_id IN (SELECT user_id FROM likes WHERE video_id = OLD.id LIMIT 500);
  DELETE FROM comments WHERE id IN (SELECT id FROM comments WHERE video_id = OLD.id LIMIT 500);
  DELETE FROM video_views WHERE video_id = OLD.id
    AND viewer IN (SELECT viewer FROM video_views WHERE video_id = OLD.id LIMIT 500);
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'orphans:' || OLD.id, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER)
    WHERE EXISTS (SELECT 1 FROM likes WHERE video_id = OLD.id)
      OR EXISTS (SELECT 1 FROM comments WHERE video_id = OLD.id)
      OR EXISTS (SELECT 1 FROM video_views WHERE video_id = OLD.id);
END;
CREATE TRIGGER videos_delete_files AFTER DELETE ON videos
WHEN OLD.file_id IS NOT NULL OR OLD.thumb_file_id IS NOT NULL
BEGIN
  DELETE FROM files WHERE id IN (OLD.file_id, OLD.thumb_file_id);
END;
CREATE TRIGGER videos_insert AFTER INSERT ON videos BEGIN
  UPDATE users SET video_count = video_count + 1 WHERE id = NEW.owner_id;
END;
CREATE TRIGGER videos_public_delete AFTER DELETE ON videos WHEN OLD.visibility = 'public' BEGIN
  UPDATE users SET public_video_count = public_video_count - 1 WHERE id = OLD.owner_id;
END;
CREATE TRIGGER videos_public_insert AFTER INSERT ON videos WHEN NEW.visibility = 'public' BEGIN
  UPDATE users SET public_video_count = public_video_count + 1 WHERE id = NEW.owner_id;
END;
CREATE TRIGGER videos_public_update AFTER UPDATE OF visibility ON videos WHEN OLD.visibility <> NEW.visibility BEGIN
  UPDATE users SET public_video_count = public_video_count + iif(NEW.visibility = 'public', 1, -1)
  WHERE id = NEW.owner_id;
END;
CREATE TRIGGER videos_search_delete AFTER DELETE ON videos BEGIN
  INSERT INTO videos_search (videos_search, rowid, title, description)
  VALUES ('delete', OLD.id, coalesce(OLD.title_folded, OLD.title), coalesce(OLD.description_folded, OLD.description));
END;
CREATE TRIGGER videos_search_insert AFTER INSERT ON videos BEGIN
  INSERT INTO videos_search (rowid, title, description)
  VALUES (NEW.id, coalesce(NEW.title_folded, NEW.title), coalesce(NEW.description_folded, NEW.description));
END;
CREATE TRIGGER videos_search_update AFTER UPDATE OF title, description, title_folded, description_folded ON videos
WHEN NEW.title IS NOT OLD.title OR NEW.description IS NOT OLD.description
  OR NEW.title_folded IS NOT OLD.title_folded OR NEW.description_folded IS NOT OLD.description_folded BEGIN
  INSERT INTO videos_search (videos_search, rowid, title, description)
  VALUES ('delete', OLD.id, coalesce(OLD.title_folded, OLD.title), coalesce(OLD.description_folded, OLD.description));
  INSERT INTO videos_search (rowid, title, description)
  VALUES (NEW.id, coalesce(NEW.title_folded, NEW.title), coalesce(NEW.description_folded, NEW.description));
END;
CREATE TRIGGER videos_visibility_files AFTER UPDATE OF visibility ON videos
WHEN NEW.visibility <> OLD.visibility AND (NEW.file_id IS NOT NULL OR NEW.thumb_file_id IS NOT NULL)
BEGIN
  UPDATE files SET visibility = NEW.visibility WHERE id IN (NEW.file_id, NEW.thumb_file_id);
END;

-- ── videos_search ──
-- Written by triggers on: videos
CREATE VIRTUAL TABLE videos_search USING fts5 (
  title, description, content = 'videos', content_rowid = 'id', tokenize = 'trigram', columnsize = 0
);

-- ── vods ──
-- On DELETE: tells file:… (vods_delete)
-- On DELETE: updates versions (vods_version_delete)
-- On INSERT: tells webhook:… (webhook_vod_created)
-- On INSERT: updates versions (vods_version_insert)
-- Written by triggers on: streams
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
CREATE INDEX vods_created ON vods (created_at, id);
CREATE UNIQUE INDEX vods_object ON vods (object_key);
CREATE UNIQUE INDEX vods_once ON vods (stream_id, file_name, digest);
CREATE INDEX vods_views ON vods (views, id);
CREATE TRIGGER vods_delete AFTER DELETE ON vods BEGIN
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('file:' || OLD.object_key, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER vods_version_delete AFTER DELETE ON vods BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'vods';
END;
CREATE TRIGGER vods_version_insert AFTER INSERT ON vods BEGIN
  UPDATE versions SET version = version + 1 WHERE kind = 'vods';
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

-- ── webhook_events ──
-- Written by triggers on: webhooks
CREATE TABLE webhook_events (
  event TEXT NOT NULL,
  webhook_id INTEGER NOT NULL,
  PRIMARY KEY (event, webhook_id)
) WITHOUT ROWID;

-- ── webhooks ──
-- On DELETE: deletes from webhook_events (webhooks_delete)
-- On DELETE: tells endpoint:… (webhooks_delete_queue)
-- On INSERT: inserts into webhook_events (webhooks_insert)
-- On UPDATE OF events, off_at: deletes from webhook_events, inserts into webhook_events (webhooks_update)
CREATE TABLE webhooks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  url TEXT NOT NULL,
  description TEXT,
  -- JSON array of event types.
  events TEXT NOT NULL,
  batch_size INTEGER NOT NULL DEFAULT 1,
  -- Signs every call, so it cannot be kept hashed. It is answered once, when it is made.
  secret TEXT NOT NULL,
  created_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  off_at INTEGER,
  off_reason TEXT
, failing_since INTEGER);
CREATE TRIGGER webhooks_delete AFTER DELETE ON webhooks BEGIN
  DELETE FROM webhook_events WHERE webhook_id = OLD.id;
END;
CREATE TRIGGER webhooks_delete_queue AFTER DELETE ON webhooks BEGIN
  INSERT INTO outbox (target, payload, created_at)
  VALUES ('endpoint:' || OLD.id || '-' || OLD.created_at, '{}', CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER webhooks_insert AFTER INSERT ON webhooks BEGIN
  INSERT INTO webhook_events (event, webhook_id) SELECT value, NEW.id FROM json_each(NEW.events) WHERE NEW.off_at IS NULL;
END;
CREATE TRIGGER webhooks_update AFTER UPDATE OF events, off_at ON webhooks BEGIN
  DELETE FROM webhook_events WHERE webhook_id = NEW.id;
  INSERT INTO webhook_events (event, webhook_id) SELECT value, NEW.id FROM json_each(NEW.events) WHERE NEW.off_at IS NULL;
END;

-- ── webrtc_sessions ──
-- On DELETE: inserts into deleted_ids (webrtc_sessions_delete)
-- On INSERT: tells webhook:… (webhook_call_started)
-- On UPDATE OF ended_at: inserts into deleted_ids (webrtc_sessions_end)
-- On UPDATE OF ended_at: tells webhook:… (webhook_call_ended)
CREATE TABLE webrtc_sessions (
  id TEXT PRIMARY KEY,
  host_id INTEGER NOT NULL,
  title TEXT,
  course_id TEXT,
  max_participants INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
, chosen_id TEXT) WITHOUT ROWID;
CREATE INDEX webrtc_sessions_chosen ON webrtc_sessions (chosen_id) WHERE chosen_id IS NOT NULL;
CREATE INDEX webrtc_sessions_course ON webrtc_sessions (course_id) WHERE course_id IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX webrtc_sessions_current ON webrtc_sessions (chosen_id)
  WHERE chosen_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX webrtc_sessions_host ON webrtc_sessions (host_id);
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
CREATE TRIGGER webhook_call_started AFTER INSERT ON webrtc_sessions
WHEN EXISTS (SELECT 1 FROM webhook_events WHERE event = 'call.started') BEGIN
  INSERT INTO outbox (target, payload, created_at)
  SELECT 'webhook:' || 'calls', json_object('type', 'call.started', 'at', CAST(unixepoch('subsec') * 1000 AS INTEGER),
    'subject', printf('call:%s', coalesce(NEW.chosen_id, NEW.id)), 'data', json_object(
    'sessionId', coalesce(NEW.chosen_id, NEW.id), 'hostId', nullif(NEW.host_id, 0), 'title', NEW.title, 'courseId', NEW.course_id,
    'startedAt', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'))),
    CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
CREATE TRIGGER webrtc_sessions_delete AFTER DELETE ON webrtc_sessions BEGIN
  INSERT OR IGNORE INTO deleted_ids (kind, id) VALUES ('call', coalesce(OLD.chosen_id, OLD.id));
END;
CREATE TRIGGER webrtc_sessions_end AFTER UPDATE OF ended_at ON webrtc_sessions
  WHEN NEW.ended_at IS NOT NULL AND NEW.chosen_id IS NOT NULL AND NEW.host_id <> 0 BEGIN
  INSERT OR IGNORE INTO deleted_ids (kind, id) VALUES ('call', NEW.chosen_id);
END;

-- ── room_event (a view) ──
CREATE VIEW room_event AS SELECT
  id AS room_id,
  iif(kind = 'course', 'course:' || course_id, 'room:' || coalesce(chosen_id, id)) AS subject,
  json_object(
    'roomId', coalesce(chosen_id, id), 'courseId', course_id, 'kind', kind, 'name', name, 'ownerId', owner_id
  ) AS data
FROM rooms;

-- ── room_facts (a view) ──
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

-- ── user_event (a view) ──
CREATE VIEW user_event AS SELECT
  id AS user_id,
  json_object(
    'userId', id, 'username', username, 'displayName', display_name, 'fullName', full_name, 'avatarUrl', avatar_url,
    'bio', bio, 'email', email, 'role', role, 'isVerified', json(iif(is_verified, 'true', 'false')),
    'accountStatus', account_status, 'isBanned', json(iif(banned_at IS NULL, 'false', 'true')), 'banReason', ban_reason
  ) AS data
FROM users;

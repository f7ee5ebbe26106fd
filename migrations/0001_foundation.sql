-- Accounts, the social graph, videos, direct messages, notifications, reports, audit, outbox.
-- Times are milliseconds since the epoch. Counters are kept by triggers, in the transaction that changes what they count.

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
);
CREATE UNIQUE INDEX users_username ON users (username COLLATE NOCASE);
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;
CREATE INDEX identities_user ON identities (user_id);

-- Tokens of outside identity providers that were logged out here before they ran out.
CREATE TABLE revoked_tokens (
  hash TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE socket_tickets (
  hash TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  token_expires_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rate_windows (
  key TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE address_bans (
  address TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE follows (
  follower_id INTEGER NOT NULL,
  followed_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (follower_id, followed_id)
) WITHOUT ROWID;
CREATE INDEX follows_followed ON follows (followed_id, created_at);
CREATE TRIGGER follows_insert AFTER INSERT ON follows BEGIN
  UPDATE users SET following_count = following_count + 1 WHERE id = NEW.follower_id;
  UPDATE users SET follower_count = follower_count + 1 WHERE id = NEW.followed_id;
END;
CREATE TRIGGER follows_delete AFTER DELETE ON follows BEGIN
  UPDATE users SET following_count = following_count - 1 WHERE id = OLD.follower_id;
  UPDATE users SET follower_count = follower_count - 1 WHERE id = OLD.followed_id;
END;

-- One row per pair, the smaller id first.
CREATE TABLE friendships (
  low_id INTEGER NOT NULL,
  high_id INTEGER NOT NULL,
  requested_by INTEGER NOT NULL,
  status TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (low_id, high_id)
) WITHOUT ROWID;
CREATE INDEX friendships_high ON friendships (high_id);

CREATE TABLE blocks (
  blocker_id INTEGER NOT NULL,
  blocked_id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (blocker_id, blocked_id)
) WITHOUT ROWID;
CREATE INDEX blocks_blocked ON blocks (blocked_id);

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
);
CREATE INDEX videos_owner ON videos (owner_id, id);
CREATE INDEX videos_visibility ON videos (visibility, id);
CREATE TRIGGER videos_insert AFTER INSERT ON videos BEGIN
  UPDATE users SET video_count = video_count + 1 WHERE id = NEW.owner_id;
END;
CREATE TRIGGER videos_delete AFTER DELETE ON videos BEGIN
  UPDATE users SET video_count = video_count - 1 WHERE id = OLD.owner_id;
  DELETE FROM likes WHERE video_id = OLD.id;
  DELETE FROM comments WHERE video_id = OLD.id;
  DELETE FROM video_views WHERE video_id = OLD.id;
END;

CREATE TABLE likes (
  video_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (video_id, user_id)
) WITHOUT ROWID;
CREATE INDEX likes_user ON likes (user_id);
CREATE TRIGGER likes_insert AFTER INSERT ON likes BEGIN
  UPDATE videos SET likes = likes + 1 WHERE id = NEW.video_id;
END;
CREATE TRIGGER likes_delete AFTER DELETE ON likes BEGIN
  UPDATE videos SET likes = likes - 1 WHERE id = OLD.video_id;
END;

-- When a person's view of a video last counted: the next one counts 30 minutes later.
CREATE TABLE video_views (
  video_id INTEGER NOT NULL,
  viewer TEXT NOT NULL,
  counted_at INTEGER NOT NULL,
  PRIMARY KEY (video_id, viewer)
) WITHOUT ROWID;
CREATE TRIGGER video_views_insert AFTER INSERT ON video_views BEGIN
  UPDATE videos SET views = views + 1 WHERE id = NEW.video_id;
END;
CREATE TRIGGER video_views_update AFTER UPDATE OF counted_at ON video_views BEGIN
  UPDATE videos SET views = views + 1 WHERE id = NEW.video_id;
END;

CREATE TABLE comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id INTEGER NOT NULL,
  author_id INTEGER NOT NULL,
  parent_id INTEGER,
  content TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX comments_video ON comments (video_id, id);
CREATE INDEX comments_author ON comments (author_id);
CREATE INDEX comments_parent ON comments (parent_id) WHERE parent_id IS NOT NULL;
CREATE TRIGGER comments_insert AFTER INSERT ON comments BEGIN
  UPDATE videos SET comments = comments + 1 WHERE id = NEW.video_id;
END;
-- Deleting a comment takes its replies along; see deleteComment.
CREATE TRIGGER comments_delete AFTER DELETE ON comments BEGIN
  UPDATE videos SET comments = comments - 1 WHERE id = OLD.video_id;
END;

CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sender_id INTEGER NOT NULL,
  receiver_id INTEGER NOT NULL,
  content TEXT NOT NULL,
  client_message_id TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER
);
CREATE INDEX messages_received ON messages (receiver_id, id);
CREATE INDEX messages_pair ON messages (min(sender_id, receiver_id), max(sender_id, receiver_id), id);
CREATE INDEX messages_unseen ON messages (receiver_id, sender_id, id) WHERE seen_at IS NULL;
CREATE UNIQUE INDEX messages_once ON messages (sender_id, client_message_id) WHERE client_message_id IS NOT NULL;

-- The newest message of each pair of people, for the list of conversations.
CREATE TABLE conversations (
  low_id INTEGER NOT NULL,
  high_id INTEGER NOT NULL,
  last_message_id INTEGER NOT NULL,
  PRIMARY KEY (low_id, high_id)
) WITHOUT ROWID;
CREATE INDEX conversations_high ON conversations (high_id);
CREATE TRIGGER messages_insert AFTER INSERT ON messages BEGIN
  INSERT INTO conversations (low_id, high_id, last_message_id)
  VALUES (min(NEW.sender_id, NEW.receiver_id), max(NEW.sender_id, NEW.receiver_id), NEW.id)
  ON CONFLICT (low_id, high_id) DO UPDATE SET last_message_id = excluded.last_message_id;
END;

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
);
CREATE INDEX notifications_user ON notifications (user_id, id);
CREATE INDEX notifications_unseen ON notifications (user_id, id) WHERE seen_at IS NULL;
CREATE INDEX notifications_actor ON notifications (actor_id, type, ref_id);

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
CREATE INDEX reports_reporter ON reports (reporter_id, id);
CREATE INDEX reports_target ON reports (target_type, target_id, id);

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
);

-- What a committed change still has to tell somebody. AUTOINCREMENT: an id is never used twice, so a receiver can drop
-- what it has already had.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  target TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX outbox_target ON outbox (target, id);

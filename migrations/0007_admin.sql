-- The admin's figures, kept in the transaction that changes what they count, and the indexes of the admin's lists.
-- What is counted for each like is one row of totals and one row of its day: rows written are the bill.
-- Days are whole UTC days since the epoch (milliseconds / 86400000).

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

CREATE TABLE stats_reports (
  status TEXT NOT NULL,
  target_type TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (status, target_type)
) WITHOUT ROWID;

-- users_active: people who were active on that day. users_last_active: people whose last active day it is, so that the
-- people active in the last 7 days are the sum of 7 rows. reports_*: reports made on that day, by their status now.
-- resolutions: reports resolved on that day. views: views counted on that day, whatever became of the video.
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

-- What is there already. --------------------------------------------------------------------------------------------

INSERT INTO stats_totals SELECT 1,
  (SELECT count(*) FROM users),
  (SELECT count(*) FROM users WHERE account_status = 'active' AND banned_at IS NULL),
  (SELECT count(*) FROM users WHERE banned_at IS NOT NULL),
  (SELECT count(*) FROM videos),
  (SELECT count(*) FROM videos WHERE visibility = 'public'),
  (SELECT count(*) FROM likes),
  (SELECT count(*) FROM comments),
  (SELECT count(*) FROM follows),
  (SELECT coalesce(sum(views), 0) FROM videos),
  (SELECT count(*) FROM audit);

INSERT INTO stats_reports SELECT status, target_type, count(*) FROM reports GROUP BY status, target_type;

INSERT INTO stats_days (day, users_new)
  SELECT created_at / 86400000, count(*) FROM users GROUP BY 1;
INSERT INTO stats_days (day, users_active, users_last_active)
  SELECT last_active_at / 86400000, count(*), count(*) FROM users WHERE last_active_at IS NOT NULL GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET users_active = excluded.users_active, users_last_active = excluded.users_last_active;
INSERT INTO stats_days (day, videos_new)
  SELECT created_at / 86400000, count(*) FROM videos WHERE true GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET videos_new = excluded.videos_new;
INSERT INTO stats_days (day, views)
  SELECT counted_at / 86400000, count(*) FROM video_views WHERE true GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET views = excluded.views;
INSERT INTO stats_days (day, likes)
  SELECT created_at / 86400000, count(*) FROM likes WHERE true GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET likes = excluded.likes;
INSERT INTO stats_days (day, comments)
  SELECT created_at / 86400000, count(*) FROM comments WHERE true GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET comments = excluded.comments;
INSERT INTO stats_days (day, follows)
  SELECT created_at / 86400000, count(*) FROM follows WHERE true GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET follows = excluded.follows;
INSERT INTO stats_days (day, reports_pending, reports_resolved, reports_rejected)
  SELECT created_at / 86400000, sum(status = 'pending'), sum(status = 'resolved'), sum(status = 'rejected')
  FROM reports WHERE true GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET reports_pending = excluded.reports_pending,
    reports_resolved = excluded.reports_resolved, reports_rejected = excluded.reports_rejected;
INSERT INTO stats_days (day, resolutions)
  SELECT resolved_at / 86400000, count(*) FROM reports WHERE status = 'resolved' AND resolved_at IS NOT NULL GROUP BY 1
  ON CONFLICT (day) DO UPDATE SET resolutions = excluded.resolutions;

-- Users. ------------------------------------------------------------------------------------------------------------

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
-- Time goes forward only: a day that was noted once is a day on which they were active.
CREATE TRIGGER stats_users_activity AFTER UPDATE OF last_active_at ON users
WHEN NEW.last_active_at / 86400000 IS NOT OLD.last_active_at / 86400000 BEGIN
  UPDATE stats_days SET users_last_active = users_last_active - 1 WHERE day = OLD.last_active_at / 86400000;
  INSERT INTO stats_days (day, users_active, users_last_active)
    SELECT NEW.last_active_at / 86400000, 1, 1 WHERE NEW.last_active_at IS NOT NULL
    ON CONFLICT (day) DO UPDATE SET users_active = users_active + 1, users_last_active = users_last_active + 1;
END;
-- Of the days on which an erased user was active, only the last one is known.
CREATE TRIGGER stats_users_delete AFTER DELETE ON users BEGIN
  UPDATE stats_totals SET users = users - 1,
    users_active = users_active - (OLD.account_status = 'active' AND OLD.banned_at IS NULL),
    users_banned = users_banned - (OLD.banned_at IS NOT NULL);
  UPDATE stats_days SET users_new = users_new - 1 WHERE day = OLD.created_at / 86400000;
  UPDATE stats_days SET users_active = users_active - 1, users_last_active = users_last_active - 1
    WHERE day = OLD.last_active_at / 86400000;
END;

CREATE INDEX users_created ON users (created_at);
CREATE INDEX users_followers ON users (follower_count);
CREATE INDEX users_banned_created ON users (created_at) WHERE banned_at IS NOT NULL;
CREATE INDEX users_banned_username ON users (username COLLATE NOCASE) WHERE banned_at IS NOT NULL;
CREATE INDEX users_banned_followers ON users (follower_count) WHERE banned_at IS NOT NULL;
-- "Is there another admin?" is asked with every ban: it must not read all users.
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';

-- Trigrams find any three characters in a row, wherever they stand, and know no syntax but quotes.
CREATE VIRTUAL TABLE users_search USING fts5 (
  username, email, full_name, content = 'users', content_rowid = 'id', tokenize = 'trigram', columnsize = 0
);
INSERT INTO users_search (users_search) VALUES ('rebuild');
CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN
  INSERT INTO users_search (rowid, username, email, full_name) VALUES (NEW.id, NEW.username, NEW.email, NEW.full_name);
END;
CREATE TRIGGER users_search_update AFTER UPDATE OF username, email, full_name ON users
WHEN NEW.username IS NOT OLD.username OR NEW.email IS NOT OLD.email OR NEW.full_name IS NOT OLD.full_name BEGIN
  INSERT INTO users_search (users_search, rowid, username, email, full_name)
    VALUES ('delete', OLD.id, OLD.username, OLD.email, OLD.full_name);
  INSERT INTO users_search (rowid, username, email, full_name) VALUES (NEW.id, NEW.username, NEW.email, NEW.full_name);
END;
CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
  INSERT INTO users_search (users_search, rowid, username, email, full_name)
    VALUES ('delete', OLD.id, OLD.username, OLD.email, OLD.full_name);
END;

-- Videos. -----------------------------------------------------------------------------------------------------------

CREATE TRIGGER stats_videos_insert AFTER INSERT ON videos BEGIN
  UPDATE stats_totals SET videos = videos + 1, videos_public = videos_public + (NEW.visibility = 'public'),
    views = views + NEW.views;
  INSERT INTO stats_days (day, videos_new) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET videos_new = videos_new + 1;
END;
CREATE TRIGGER stats_videos_visibility AFTER UPDATE OF visibility ON videos WHEN NEW.visibility <> OLD.visibility BEGIN
  UPDATE stats_totals SET videos_public = videos_public - (OLD.visibility = 'public') + (NEW.visibility = 'public');
END;
CREATE TRIGGER stats_videos_views AFTER UPDATE OF views ON videos WHEN NEW.views <> OLD.views BEGIN
  UPDATE stats_totals SET views = views - OLD.views + NEW.views;
END;
CREATE TRIGGER stats_videos_delete AFTER DELETE ON videos BEGIN
  UPDATE stats_totals SET videos = videos - 1, videos_public = videos_public - (OLD.visibility = 'public'),
    views = views - OLD.views;
  UPDATE stats_days SET videos_new = videos_new - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_views_insert AFTER INSERT ON video_views BEGIN
  INSERT INTO stats_days (day, views) VALUES (NEW.counted_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET views = views + 1;
END;
CREATE TRIGGER stats_views_update AFTER UPDATE OF counted_at ON video_views BEGIN
  INSERT INTO stats_days (day, views) VALUES (NEW.counted_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET views = views + 1;
END;

-- A batch may take 30 s (platform limit), and a video may have a million likes. So its row takes along what a moment can,
-- in the same transaction; what is left then is nobody's, and cleared bit by bit (features/admin/erasure).
DROP TRIGGER videos_delete;
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

CREATE INDEX videos_created ON videos (created_at);
CREATE INDEX videos_by_views ON videos (views);
CREATE INDEX videos_by_likes ON videos (likes);
CREATE INDEX videos_by_comments ON videos (comments);
-- Private videos are few: without these, their page would walk past all public ones. Only a private video pays for them.
-- Said as "not public", so that SQLite does not take videos_visibility instead and sort.
CREATE INDEX videos_private_created ON videos (created_at) WHERE visibility <> 'public';
CREATE INDEX videos_private_by_views ON videos (views) WHERE visibility <> 'public';
CREATE INDEX videos_private_by_likes ON videos (likes) WHERE visibility <> 'public';
CREATE INDEX videos_private_by_comments ON videos (comments) WHERE visibility <> 'public';

CREATE VIRTUAL TABLE videos_search USING fts5 (
  title, description, content = 'videos', content_rowid = 'id', tokenize = 'trigram', columnsize = 0
);
INSERT INTO videos_search (videos_search) VALUES ('rebuild');
CREATE TRIGGER videos_search_insert AFTER INSERT ON videos BEGIN
  INSERT INTO videos_search (rowid, title, description) VALUES (NEW.id, NEW.title, NEW.description);
END;
CREATE TRIGGER videos_search_update AFTER UPDATE OF title, description ON videos
WHEN NEW.title IS NOT OLD.title OR NEW.description IS NOT OLD.description BEGIN
  INSERT INTO videos_search (videos_search, rowid, title, description)
    VALUES ('delete', OLD.id, OLD.title, OLD.description);
  INSERT INTO videos_search (rowid, title, description) VALUES (NEW.id, NEW.title, NEW.description);
END;
CREATE TRIGGER videos_search_delete AFTER DELETE ON videos BEGIN
  INSERT INTO videos_search (videos_search, rowid, title, description)
    VALUES ('delete', OLD.id, OLD.title, OLD.description);
END;

-- Likes, comments, follows. -----------------------------------------------------------------------------------------

CREATE TRIGGER stats_likes_insert AFTER INSERT ON likes BEGIN
  UPDATE stats_totals SET likes = likes + 1;
  INSERT INTO stats_days (day, likes) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET likes = likes + 1;
END;
CREATE TRIGGER stats_likes_delete AFTER DELETE ON likes BEGIN
  UPDATE stats_totals SET likes = likes - 1;
  UPDATE stats_days SET likes = likes - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_comments_insert AFTER INSERT ON comments BEGIN
  UPDATE stats_totals SET comments = comments + 1;
  INSERT INTO stats_days (day, comments) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET comments = comments + 1;
END;
CREATE TRIGGER stats_comments_delete AFTER DELETE ON comments BEGIN
  UPDATE stats_totals SET comments = comments - 1;
  UPDATE stats_days SET comments = comments - 1 WHERE day = OLD.created_at / 86400000;
END;
CREATE TRIGGER stats_follows_insert AFTER INSERT ON follows BEGIN
  UPDATE stats_totals SET follows = follows + 1;
  INSERT INTO stats_days (day, follows) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET follows = follows + 1;
END;
CREATE TRIGGER stats_follows_delete AFTER DELETE ON follows BEGIN
  UPDATE stats_totals SET follows = follows - 1;
  UPDATE stats_days SET follows = follows - 1 WHERE day = OLD.created_at / 86400000;
END;

-- Reports. ----------------------------------------------------------------------------------------------------------

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
CREATE TRIGGER stats_reports_delete AFTER DELETE ON reports BEGIN
  UPDATE stats_reports SET count = count - 1 WHERE status = OLD.status AND target_type = OLD.target_type;
  UPDATE stats_days SET reports_pending = reports_pending - (OLD.status = 'pending'),
    reports_resolved = reports_resolved - (OLD.status = 'resolved'),
    reports_rejected = reports_rejected - (OLD.status = 'rejected')
    WHERE day = OLD.created_at / 86400000;
  UPDATE stats_days SET resolutions = resolutions - 1
    WHERE OLD.status = 'resolved' AND day = OLD.resolved_at / 86400000;
END;

CREATE INDEX reports_created ON reports (created_at);
CREATE INDEX reports_by_status ON reports (status, created_at);
CREATE INDEX reports_by_type ON reports (target_type, created_at);
CREATE INDEX reports_by_status_type ON reports (status, target_type, created_at);

-- Audit. ------------------------------------------------------------------------------------------------------------

CREATE TRIGGER stats_audit_insert AFTER INSERT ON audit BEGIN
  UPDATE stats_totals SET audit = audit + 1;
END;
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_admin ON audit (admin_id, id);
CREATE INDEX audit_target_type ON audit (target_type, id);
CREATE INDEX audit_target ON audit (target_type, target_id, id);

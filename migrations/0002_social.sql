-- What the public lists need to be answered without counting or scanning their tables.

-- What others may know of: a private video exists only for its owner and admins, and so does its place in a count.
ALTER TABLE users ADD COLUMN public_video_count INTEGER NOT NULL DEFAULT 0;
UPDATE users SET public_video_count =
  (SELECT count(*) FROM videos WHERE videos.owner_id = users.id AND videos.visibility = 'public');

CREATE TRIGGER videos_public_insert AFTER INSERT ON videos WHEN NEW.visibility = 'public' BEGIN
  UPDATE users SET public_video_count = public_video_count + 1 WHERE id = NEW.owner_id;
END;
CREATE TRIGGER videos_public_delete AFTER DELETE ON videos WHEN OLD.visibility = 'public' BEGIN
  UPDATE users SET public_video_count = public_video_count - 1 WHERE id = OLD.owner_id;
END;
CREATE TRIGGER videos_public_update AFTER UPDATE OF visibility ON videos WHEN OLD.visibility <> NEW.visibility BEGIN
  UPDATE users SET public_video_count = public_video_count + iif(NEW.visibility = 'public', 1, -1)
  WHERE id = NEW.owner_id;
END;

-- How long a list is: `people` are the active accounts, `videos` is the public feed (public videos of active accounts).
CREATE TABLE list_totals (
  list TEXT PRIMARY KEY,
  total INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO list_totals (list, total) VALUES
  ('people', (SELECT count(*) FROM users WHERE account_status = 'active')),
  ('videos', (SELECT coalesce(sum(public_video_count), 0) FROM users WHERE account_status = 'active'));

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
CREATE TRIGGER users_listed_delete AFTER DELETE ON users WHEN OLD.account_status = 'active' BEGIN
  UPDATE list_totals SET total = total - 1 WHERE list = 'people';
  UPDATE list_totals SET total = total - OLD.public_video_count WHERE list = 'videos';
END;

-- Searching people: any three characters of a name and more, by index.
CREATE VIRTUAL TABLE people_search USING fts5 (
  username, display_name, full_name,
  content = 'users', content_rowid = 'id', tokenize = 'trigram', detail = full
);
INSERT INTO people_search (people_search) VALUES ('rebuild');
CREATE TRIGGER users_searched_insert AFTER INSERT ON users BEGIN
  INSERT INTO people_search (rowid, username, display_name, full_name)
  VALUES (NEW.id, NEW.username, NEW.display_name, NEW.full_name);
END;
CREATE TRIGGER users_searched_delete AFTER DELETE ON users BEGIN
  INSERT INTO people_search (people_search, rowid, username, display_name, full_name)
  VALUES ('delete', OLD.id, OLD.username, OLD.display_name, OLD.full_name);
END;
CREATE TRIGGER users_searched_update AFTER UPDATE OF username, display_name, full_name ON users BEGIN
  INSERT INTO people_search (people_search, rowid, username, display_name, full_name)
  VALUES ('delete', OLD.id, OLD.username, OLD.display_name, OLD.full_name);
  INSERT INTO people_search (rowid, username, display_name, full_name)
  VALUES (NEW.id, NEW.username, NEW.display_name, NEW.full_name);
END;

-- Whom somebody follows, the latest first.
CREATE INDEX follows_follower ON follows (follower_id, created_at);

-- With the receiver in it, "was this person already told of that act?" reads one row, however active the actor is.
DROP INDEX notifications_actor;
CREATE INDEX notifications_actor ON notifications (actor_id, type, ref_id, user_id);

-- One pending report of a thing by a person, also when ten arrive at once.
CREATE UNIQUE INDEX reports_pending ON reports (reporter_id, target_type, target_id) WHERE status = 'pending';

-- A view that is too old to keep the next one from counting is forgotten.
CREATE INDEX video_views_counted ON video_views (counted_at);

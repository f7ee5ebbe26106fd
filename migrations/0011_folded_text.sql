-- Text compared as people read it (src/text.ts, `fold`): SQLite knows the case of ASCII alone. What is searched or looked up
-- stands here folded, written by the Worker beside the text. NULL: as the text itself, since there is only ASCII in it, or
-- nobody has folded it yet (`is_folded` 0: cron does, in batches; src/db/folding.ts).

ALTER TABLE users ADD COLUMN display_name_folded TEXT;
ALTER TABLE users ADD COLUMN full_name_folded TEXT;
ALTER TABLE users ADD COLUMN is_folded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_unfolded ON users (id) WHERE is_folded = 0;

ALTER TABLE videos ADD COLUMN title_folded TEXT;
ALTER TABLE videos ADD COLUMN description_folded TEXT;
ALTER TABLE videos ADD COLUMN is_folded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX videos_unfolded ON videos (id) WHERE is_folded = 0;

-- A path. Two files that were there before and read alike keep their own exact paths: the second one has no folded name.
ALTER TABLE files ADD COLUMN folder_folded TEXT;
ALTER TABLE files ADD COLUMN name_folded TEXT;
ALTER TABLE files ADD COLUMN is_folded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX files_unfolded ON files (id) WHERE is_folded = 0;
CREATE UNIQUE INDEX files_path_folded ON files (folder_folded, name_folded);

-- The indexes of search have the folded text. What they were told before is what the columns still say: nothing is built anew.
DROP TRIGGER users_searched_insert;
DROP TRIGGER users_searched_update;
DROP TRIGGER users_searched_delete;
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
CREATE TRIGGER users_searched_delete AFTER DELETE ON users BEGIN
  INSERT INTO people_search (people_search, rowid, username, display_name, full_name)
  VALUES ('delete', OLD.id, OLD.username, coalesce(OLD.display_name_folded, OLD.display_name),
    coalesce(OLD.full_name_folded, OLD.full_name));
END;

DROP TRIGGER users_search_insert;
DROP TRIGGER users_search_update;
DROP TRIGGER users_search_delete;
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
CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
  INSERT INTO users_search (users_search, rowid, username, email, full_name)
  VALUES ('delete', OLD.id, OLD.username, OLD.email, coalesce(OLD.full_name_folded, OLD.full_name));
END;

DROP TRIGGER videos_search_insert;
DROP TRIGGER videos_search_update;
DROP TRIGGER videos_search_delete;
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
CREATE TRIGGER videos_search_delete AFTER DELETE ON videos BEGIN
  INSERT INTO videos_search (videos_search, rowid, title, description)
  VALUES ('delete', OLD.id, coalesce(OLD.title_folded, OLD.title), coalesce(OLD.description_folded, OLD.description));
END;

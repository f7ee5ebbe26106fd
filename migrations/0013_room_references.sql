-- Rooms record whom they name as streams and sessions do, by one mechanism (src/db/user-references.ts). A room that ends
-- takes its own rows back.
INSERT OR IGNORE INTO user_references (user_id, target) SELECT user_id, 'room:' || room_id FROM room_authors;
DROP TRIGGER rooms_delete;
CREATE TRIGGER rooms_delete AFTER DELETE ON rooms BEGIN
  DELETE FROM room_members WHERE room_id = OLD.id;
END;
DROP TABLE room_authors;

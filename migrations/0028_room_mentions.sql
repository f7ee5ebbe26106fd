-- Notifications of being named in a room: of both, the numbers beside them are 0. `room_id`: the room's own id.
ALTER TABLE notifications ADD COLUMN room_id TEXT;
ALTER TABLE notifications ADD COLUMN message_id TEXT;
-- A room tells of a message until it knows that it was told: once for each person all the same.
CREATE UNIQUE INDEX notifications_room_message ON notifications (message_id, user_id) WHERE message_id IS NOT NULL;

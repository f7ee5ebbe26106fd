-- Which life of the database this is: a restore begins another (scripts/restore.ts). Objects, which are not restored, compare
-- it with the one that they know (src/realtime/origin.ts).
CREATE TABLE database_generation (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  generation TEXT NOT NULL
);
INSERT INTO database_generation (id, generation) VALUES (1, lower(hex(randomblob(16))));

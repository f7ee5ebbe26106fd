/** What the checks find in the database: SQL that puts it there. */

/** A week of a small service's life, and markup where users write. */
export const week = (victimId: number): string => `
  UPDATE users SET role = 'admin' WHERE username = 'boss';
  UPDATE users SET full_name = '<img src=x onerror=document.title=1>' WHERE id = ${victimId};
  INSERT INTO users (username, email, full_name, created_at, last_active_at, follower_count, is_verified)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64)
    SELECT 'person_' || i, 'person_' || i || '@example.com', 'Person Number ' || i,
      unixepoch() * 1000 - (i * i % 7) * 86400000, unixepoch() * 1000 - (i % 5) * 86400000, i * 37 % 900, i % 4 = 0 FROM n;
  INSERT INTO videos (owner_id, title, video_url, visibility, shares, created_at)
    SELECT id, 'Evening at the harbour, part ' || id, '/v/' || id || '.mp4', iif(id % 5 = 0, 'private', 'public'), id % 7,
      unixepoch() * 1000 - (id % 7) * 86400000 FROM users WHERE username LIKE 'person%';
  INSERT INTO video_views (video_id, viewer, counted_at)
    SELECT v.id, 'user:' || u.id, unixepoch() * 1000 - ((v.id + u.id) % 7) * 86400000 FROM videos v, users u WHERE (v.id * u.id) % 3 = 0;
  INSERT INTO likes (video_id, user_id, created_at)
    SELECT v.id, u.id, unixepoch() * 1000 - ((v.id * 3 + u.id) % 7) * 86400000 FROM videos v, users u WHERE (v.id + u.id) % 19 < 2;
  INSERT INTO comments (video_id, author_id, content, created_at)
    SELECT v.id, u.id, 'What a light!', unixepoch() * 1000 - ((v.id + u.id * 2) % 6) * 86400000 FROM videos v, users u WHERE (v.id + u.id) % 23 = 0;
  INSERT INTO comments (video_id, author_id, content, created_at)
    SELECT 1, id, 'Wie schön ' || id, unixepoch() * 1000 FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO follows (follower_id, followed_id, created_at)
    SELECT a.id, b.id, unixepoch() * 1000 - ((a.id + b.id) % 7) * 86400000 FROM users a, users b WHERE a.id <> b.id AND (a.id * b.id) % 31 = 1;
  INSERT INTO reports (reporter_id, target_type, target_id, reason, status, resolved_at, result, created_at)
    SELECT id, iif(id % 2, 'video', 'user'), 3 + id % 9, iif(id % 3, 'Spam or a scam', 'Somebody else made this'),
      CASE id % 3 WHEN 0 THEN 'resolved' WHEN 1 THEN 'rejected' ELSE 'pending' END, iif(id % 3 = 0, unixepoch() * 1000, NULL), NULL,
      unixepoch() * 1000 - (id % 7) * 86400000 FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO reports (reporter_id, target_type, target_id, reason, created_at)
    VALUES (1, 'user', ${victimId}, 'The newest report', unixepoch() * 1000 + 1000);
  INSERT INTO stream_events (stream_id, source, event, session, outcome, request_id, created_at)
    SELECT iif(id % 4, id % 2 + 1, NULL), 'nginx-rtmp', iif(id % 2, 'publish', 'publish_done'), 'session-' || id,
      CASE id % 4 WHEN 0 THEN 'refused' WHEN 1 THEN 'live' ELSE 'ended' END, 'request-' || id, unixepoch() * 1000
    FROM users WHERE username LIKE 'person%' AND id % 3 = 0;
  INSERT INTO rooms (id, kind, name, owner_id, member_count, message_count, created_at, last_active_at)
    SELECT printf('room-%03d', id), 'group', 'Hafenwache Öst ' || id, id, id % 9, id * 11, unixepoch() * 1000, unixepoch() * 1000
    FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO room_members (room_id, user_id, joined_at)
    SELECT 'room-014', id, unixepoch() * 1000 FROM users WHERE username LIKE 'person%' AND id < 40;
  INSERT INTO streams (user_id, title, key_hash, status, session, started_at, last_seen_at, created_at, updated_at, peak_viewers)
    SELECT id, 'Ödland ' || id, 'hash-' || id, iif(id = 12, 'live', 'ended'), iif(id = 12, 'session', NULL), unixepoch() * 1000,
      unixepoch() * 1000, unixepoch() * 1000, unixepoch() * 1000, id FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO webrtc_sessions (id, host_id, title, max_participants, created_at)
    SELECT printf('call-%03d', id), id, 'Sprechstunde über ' || id, 50, unixepoch() * 1000 - 600000
    FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, key, created_at)
    SELECT printf('file-%03d', id), id, 'Anhänge', 'Anhänge-' || id || '.pdf', 'report.pdf', 'document', 'application/pdf', id * 4321,
      'none', 'key-' || id, unixepoch() * 1000 FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at)
    VALUES (900001, 'user:${victimId}', '{"frames":[]}', unixepoch() * 1000, 8, 'Network connection lost.', unixepoch() * 1000),
      (900003, 'stream:1', '{"y":2}', unixepoch() * 1000, 8, 'The object is overloaded.', unixepoch() * 1000),
      (900002, 'room:gone', '{"x":1}', unixepoch() * 1000, 8, '<b>Invalid</b> input', unixepoch() * 1000);`;

/** More keys and endpoints than a page has. */
export const backends = `
  INSERT INTO server_keys (id, name, hash, scopes, created_by, created_at, expires_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24)
    SELECT printf('%016x', i), 'Zweigstelle Öst ' || i, 'none', '["read","publish"]', 1, unixepoch() * 1000 - i,
      iif(i = 7, unixepoch() * 1000 - 1, NULL) FROM n;
  INSERT INTO webhooks (url, description, events, secret, created_by, created_at, off_at, off_reason)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24)
    SELECT 'https://hooks.example/branch/' || i, 'Zweigstelle Öst ' || i, iif(i = 9, '["call.ended"]', '["room.created"]'),
      'none', 1, unixepoch() * 1000, iif(i = 7, unixepoch() * 1000, NULL), iif(i = 7, 'Switched off by an admin', NULL) FROM n;`;

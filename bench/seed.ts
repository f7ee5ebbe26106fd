/** A database as a service has it after a year. */
const DAY = 86_400_000;
const now = Date.now();

/** Rows 1 to `count` as a table `n (i)`. */
const numbers = (count: number): string =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** Row i of `n`, spread over a year back from now. */
const spread = (i: string): string => `${now} - (${i} * 7919 % 365) * ${DAY} - ${i} % ${DAY}`;

/** Statements that fill the database with so many users, and the rest in proportion. */
export function filling(users: number): string[] {
  const videos = Math.ceil(users / 10);
  return [
    `INSERT INTO users (username, email, full_name, created_at, last_active_at) ${numbers(users)}
     SELECT 'user_' || i, 'u' || i || '@example.com',
       CASE i % 4 WHEN 0 THEN 'Ada' WHEN 1 THEN 'Alan' WHEN 2 THEN 'Grace' ELSE 'Edsger' END || ' Lovelace_' || i,
       ${spread("i")}, ${spread("(i + 3)")} FROM n`,
    `UPDATE users SET banned_at = 1, ban_reason = 'spam' WHERE id % 100 = 0`,
    `INSERT INTO videos (owner_id, title, video_url, visibility, created_at) ${numbers(videos)}
     SELECT 1 + i * 7 % ${users}, iif(i % 1000, 'A day in the life, part ', 'Evening at the harbour ') || i, '/v/' || i,
       iif(i % 20, 'public', 'private'), ${spread("i")} FROM n`,
    `INSERT OR IGNORE INTO likes ${numbers(users)} SELECT 1 + i * i % ${videos}, i, ${spread("i")} FROM n`,
    `INSERT OR IGNORE INTO video_views ${numbers(Math.ceil(users / 2))} SELECT 1 + i * 13 % ${videos}, 'user:' || i, ${spread("i")} FROM n`,
    `INSERT INTO comments (video_id, author_id, content, created_at) ${numbers(Math.ceil(users / 10))}
     SELECT 1 + i * 3 % ${videos}, i, 'What a light!', ${spread("i")} FROM n`,
    `INSERT OR IGNORE INTO follows ${numbers(Math.ceil(users / 5))} SELECT i, 1 + i * i % ${users}, ${spread("i")} FROM n`,
    `INSERT INTO reports (reporter_id, target_type, target_id, reason, created_at) ${numbers(Math.ceil(users / 50))}
     SELECT i, iif(i % 2, 'video', 'user'), 1 + i % ${videos}, 'spam', ${spread("i")} FROM n`,
    `UPDATE reports SET status = 'resolved', resolved_at = created_at WHERE id % 3 = 0`,
    `INSERT INTO audit (admin_id, admin_username, action, target_type, target_id, request_id, created_at) ${numbers(Math.ceil(users / 50))}
     SELECT 1, 'boss', 'ban', 'user', i, 'r', ${spread("i")} FROM n`,
  ];
}

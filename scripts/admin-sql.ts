/** What makes an account an admin, in the database: no API makes the first one. */

/** What a username is made of; no other text may get into the SQL below. */
export const USERNAME = /^[A-Za-z0-9_.]{3,30}$/;

/**
 * The role, and the news of it: it counts for tokens already given; open sockets learn it from the outbox.
 * @throws Error the name is none
 */
export function adminSql(username: string): string {
  if (!USERNAME.test(username)) throw new Error(`${username} is no username.`);
  const whose = `FROM users WHERE username = '${username}' COLLATE NOCASE`;
  return `
  UPDATE users SET role = 'admin' WHERE username = '${username}' COLLATE NOCASE;
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'user:' || id, '{"person":{"role":"admin"}}', unixepoch() * 1000 ${whose};`;
}

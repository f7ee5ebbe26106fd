-- When an admin here last said what somebody's role is: a token of the product's own backend gives nothing above it (SPEC 14).
ALTER TABLE users ADD COLUMN role_set_at INTEGER;

UPDATE users SET role_set_at = (
  SELECT max(created_at) FROM audit WHERE action = 'role' AND target_type = 'user' AND target_id = CAST(users.id AS TEXT)
) WHERE id IN (SELECT CAST(target_id AS INTEGER) FROM audit WHERE action = 'role' AND target_type = 'user');

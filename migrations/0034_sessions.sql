-- Whether an account's email is its owner's, and what a session looks like to its user.

-- Since when it is known that mail to `email` reaches the owner. `pending_email`: the address that they want instead; it
-- counts once it is verified.
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
ALTER TABLE users ADD COLUMN pending_email TEXT;

-- `user_agent` and `address`: of the sign-in. `last_used_at` is written at most hourly.
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET last_used_at = created_at;

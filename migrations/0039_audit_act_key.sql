-- What objects record of acts by role comes again after a crash on the way: its key makes no second row.
ALTER TABLE audit ADD COLUMN act_key TEXT;
CREATE UNIQUE INDEX audit_act ON audit (act_key) WHERE act_key IS NOT NULL;

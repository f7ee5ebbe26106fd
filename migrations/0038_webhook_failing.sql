-- Since when an endpoint has taken nothing, ms: written once when it begins to fail, and once when it takes something again.
ALTER TABLE webhooks ADD COLUMN failing_since INTEGER;

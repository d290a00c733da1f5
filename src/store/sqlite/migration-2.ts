/**
 * Schema version 2: credentials, who may ask for a service, and the audit log. Written down as it
 * was; later versions change it by migrations of their own.
 *
 * state < 4 is OPEN, REQUESTED or ACTIVE; an OPEN channel has no consumer.
 */
export const MIGRATION_2 = `
-- A JSON array of ids and patterns.
ALTER TABLE services ADD COLUMN allowed_consumers TEXT NOT NULL DEFAULT '[]';
CREATE INDEX services_of_provider ON services (provider_id);
CREATE INDEX channels_unended_of_consumer ON channels (consumer_id) WHERE state < 4;

CREATE TABLE keys (
  id INTEGER PRIMARY KEY,
  key_id TEXT NOT NULL UNIQUE,
  pattern TEXT NOT NULL,
  role TEXT NOT NULL,
  secret_hash BLOB NOT NULL,
  label TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  revoked_at_ms INTEGER NOT NULL
) STRICT;

-- The agents that credentials have named.
CREATE TABLE agents (
  agent_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
`;

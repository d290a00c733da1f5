/**
 * Schema version 1, written down as it was: later versions change it by
 * migrations of their own and never here.
 *
 * state 2 is REQUESTED and 3 is ACTIVE. Partial indexes hold only the channels
 * that a question is about, so that a long past costs the present nothing.
 */
export const MIGRATION_1 = `
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Newest means largest id. last_used is the id of the channel's newest entry,
-- answered_order that of its accept or reject: no order depends on a clock.
CREATE TABLE channels (
  id INTEGER PRIMARY KEY,
  channel_id TEXT NOT NULL UNIQUE,
  service_id TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  consumer_id TEXT NOT NULL,
  state INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  requested_at_ms INTEGER NOT NULL,
  timeout_ms REAL NOT NULL,
  answer_seq INTEGER NOT NULL,
  end_seq INTEGER NOT NULL,
  closed_at_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  reject_code INTEGER NOT NULL,
  end_code INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  provider_position INTEGER NOT NULL,
  provider_due INTEGER NOT NULL,
  consumer_position INTEGER NOT NULL,
  consumer_due INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  answered_order INTEGER NOT NULL
) STRICT;

CREATE INDEX channels_of_provider ON channels (provider_id);
CREATE INDEX channels_of_consumer ON channels (consumer_id);
CREATE INDEX channels_of_provider_by_service ON channels (provider_id, service_id, state);
CREATE INDEX channels_of_consumer_by_service ON channels (consumer_id, service_id, state);
CREATE INDEX channels_active ON channels (provider_id, consumer_id, last_used) WHERE state = 3;
CREATE INDEX channels_answered ON channels (provider_id, consumer_id, answered_order)
  WHERE answered_order > 0;
CREATE INDEX channels_pending_of_provider ON channels (provider_id, last_used) WHERE state = 2;
CREATE INDEX channels_pending_of_consumer ON channels (consumer_id, provider_id, last_used)
  WHERE state = 2;
CREATE INDEX channels_provider_behind ON channels (provider_id)
  WHERE provider_position < provider_due;
CREATE INDEX channels_consumer_behind ON channels (consumer_id)
  WHERE consumer_position < consumer_due;

-- kind: 1 request, 2 accept, 3 reject, 4 message, 5 end. body is the encoded frame.
CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  channel INTEGER NOT NULL REFERENCES channels (id),
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  author TEXT NOT NULL,
  key TEXT,
  addressed_by_channel INTEGER NOT NULL,
  stored_at_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (channel, seq)
) STRICT;

CREATE UNIQUE INDEX entries_by_key ON entries (author, kind, key) WHERE key IS NOT NULL;

-- tags is a JSON array, metadata a JSON array of [key, value].
CREATE TABLE services (
  service_id TEXT PRIMARY KEY,
  provider_id TEXT NOT NULL,
  description TEXT NOT NULL,
  tags TEXT NOT NULL,
  metadata TEXT NOT NULL,
  accept_policy INTEGER NOT NULL,
  max_active_chats INTEGER NOT NULL,
  open_channel_id TEXT NOT NULL,
  registered_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

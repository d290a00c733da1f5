/**
 * Schema version 3: entries that follow each other in a channel can share a row, a block. Written
 * down as it was; later versions change it by migrations of their own.
 *
 * A row whose heads are NULL is one entry, as before. In any other, seq is that of its last entry,
 * key is NULL, body holds the bodies one behind the other, and heads is a JSON array with an item
 * for each entry: [start and length of its body, key, stored_at_ms, addressed_by_channel].
 */
export const MIGRATION_3 = `
ALTER TABLE entries RENAME TO entry_blocks;
ALTER TABLE entry_blocks ADD COLUMN entry_count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE entry_blocks ADD COLUMN first_key TEXT;
ALTER TABLE entry_blocks ADD COLUMN last_key TEXT;
ALTER TABLE entry_blocks ADD COLUMN heads TEXT;

-- The blocks of an author do not overlap: all of a block's keys lie between these two.
CREATE UNIQUE INDEX blocks_by_key ON entry_blocks (author, last_key) WHERE last_key IS NOT NULL;

-- The log, an entry a row, for whoever reads the file. id is the row's: the entries of a block have
-- one between them, and a channel's last_used and answered_order name it. json_each has columns id and key as well.
CREATE VIEW entries (id, channel, seq, kind, author, key, addressed_by_channel, stored_at_ms, body)
AS SELECT id, channel, seq, kind, author, key, addressed_by_channel, stored_at_ms, body
  FROM entry_blocks WHERE heads IS NULL
UNION ALL
SELECT block.id, block.channel, block.seq - block.entry_count + 1 + head.key, block.kind,
    block.author, head.value ->> 2, head.value ->> 4, head.value ->> 3,
    substr(block.body, 1 + (head.value ->> 0), head.value ->> 1)
  FROM entry_blocks AS block, json_each(block.heads) AS head WHERE block.heads IS NOT NULL;
`;

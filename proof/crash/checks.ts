/** The words of the last line. */
export type Fault = "lost" | "duplicated" | "misordered" | "gaps";

/** One thing that must not be found in the evidence. */
export interface Check {
  name: string;
  counted: Fault;
  /** Each row is a violation. */
  sql: string;
}

/** Every promise, as a question whose answer must be empty. */
export const CHECKS: Check[] = [
  {
    name: "a receipt names an entry that is not in the file",
    counted: "lost",
    sql: `SELECT r.* FROM receipts r LEFT JOIN stored s ON s.channel = r.channel AND s.seq = r.seq
      WHERE s.seq IS NULL OR s.kind <> r.kind OR s.author <> r.agent OR s.key <> r.key`,
  },
  {
    name: "an entry is stored with other content than was sent",
    counted: "lost",
    sql: `SELECT s.* FROM stored s WHERE EXISTS (SELECT 1 FROM sent x
      WHERE x.agent = s.author AND x.kind = s.kind AND x.key = s.key AND x.print <> s.print)`,
  },
  {
    name: "a delivered entry is not in the file",
    counted: "lost",
    sql: `SELECT d.* FROM delivered d LEFT JOIN stored s
      ON s.channel = d.channel AND s.seq = d.seq WHERE s.seq IS NULL`,
  },
  {
    name: "an entry was delivered otherwise than it is stored",
    counted: "lost",
    sql: `SELECT d.* FROM delivered d JOIN stored s ON s.channel = d.channel AND s.seq = d.seq
      WHERE d.kind <> s.kind OR d.key <> s.key OR d.speaker <> s.speaker OR d.print <> s.print`,
  },
  {
    name: "an entry was never delivered to its receiver",
    counted: "lost",
    sql: `SELECT due.* FROM due JOIN agents a ON a.agent = due.member
      WHERE NOT EXISTS (SELECT 1 FROM delivered d
        WHERE d.agent = due.member AND d.channel = due.channel AND d.seq = due.seq)`,
  },
  {
    name: "a position is beyond what was acked",
    counted: "lost",
    sql: `SELECT m.member, due.channel, due.seq, m.position FROM due
      JOIN members m ON m.channel = due.channel AND m.member = due.member
      WHERE due.seq <= m.position AND due.seq > coalesce((SELECT a.top FROM acked_in_the_end a
        WHERE a.agent = due.member AND a.channel = due.channel), 0)`,
  },
  {
    name: "a message was not handled by the package's client",
    counted: "lost",
    sql: `SELECT due.* FROM due JOIN agents a ON a.agent = due.member AND a.client = 'package'
      WHERE due.kind = 'chatMessage' AND NOT EXISTS (SELECT 1 FROM handled h
        WHERE h.agent = due.member AND h.channel = due.channel AND h.seq = due.seq)`,
  },
  {
    name: "something was refused for good",
    counted: "lost",
    sql: "SELECT * FROM refused WHERE NOT retryable",
  },
  { name: "a call of the package's client failed", counted: "lost", sql: "SELECT * FROM failed" },
  {
    name: "the hub's epoch changed",
    counted: "lost",
    sql: "SELECT * FROM sessions WHERE epoch <> (SELECT epoch FROM file_epoch)",
  },
  { name: "the file is damaged", counted: "lost", sql: "SELECT * FROM faults" },
  {
    name: "a key is stored more than once",
    counted: "duplicated",
    sql: `SELECT author, kind, key, count(*) AS times FROM stored WHERE author <> ''
      GROUP BY author, kind, key HAVING times > 1`,
  },
  {
    name: "receipts for one key disagree",
    counted: "duplicated",
    sql: `SELECT agent, kind, key, group_concat(DISTINCT channel || ' ' || seq) AS places
      FROM receipts GROUP BY agent, kind, key HAVING count(DISTINCT channel || ' ' || seq) > 1`,
  },
  {
    name: "an entry is stored that nobody sent",
    counted: "duplicated",
    sql: `SELECT s.* FROM stored s WHERE s.author <> '' AND NOT EXISTS (SELECT 1 FROM sent x
      WHERE x.agent = s.author AND x.kind = s.kind AND x.key = s.key)`,
  },
  {
    name: "an entry was delivered twice in one session",
    counted: "duplicated",
    sql: `SELECT agent, session, channel, seq, count(*) AS times FROM delivered
      GROUP BY agent, session, channel, seq HAVING times > 1`,
  },
  {
    name: "an entry was delivered to somebody it is not for, its author or a stranger",
    counted: "duplicated",
    sql: `SELECT d.* FROM delivered d JOIN stored s ON s.channel = d.channel AND s.seq = d.seq
      LEFT JOIN due ON due.member = d.agent AND due.channel = d.channel AND due.seq = d.seq
      WHERE due.seq IS NULL`,
  },
  {
    name: "a position is behind what was acked in the end",
    counted: "duplicated",
    sql: `SELECT m.*, (SELECT a.top FROM acked_in_the_end a
        WHERE a.agent = m.member AND a.channel = m.channel) AS acked
      FROM members m WHERE m.position < acked`,
  },
  {
    name: "a message was handled twice by the package's client",
    counted: "duplicated",
    sql: `SELECT agent, channel, seq, count(*) AS times FROM handled
      GROUP BY agent, channel, seq HAVING times > 1`,
  },
  {
    // What was refused for a while begins its way anew: where it is sent again, it has its place.
    name: "an agent's entries are stored in another order than it sent them",
    counted: "misordered",
    sql: `WITH firsts AS (SELECT x.agent, x.kind, x.key, min(x.at) AS at FROM sent x
        WHERE x.at > coalesce((SELECT max(r.at) FROM refused r
          WHERE r.agent = x.agent AND r.kind = x.kind AND r.key = x.key), 0)
        GROUP BY x.agent, x.kind, x.key)
      SELECT * FROM (SELECT f.agent, s.channel, s.key, s.seq, lag(s.seq) OVER
          (PARTITION BY f.agent, s.channel ORDER BY f.at) AS before
        FROM firsts f JOIN stored s ON s.author = f.agent AND s.kind = f.kind AND s.key = f.key)
      WHERE before > seq`,
  },
  {
    name: "entries of a channel were delivered in another order than stored",
    counted: "misordered",
    sql: `SELECT * FROM (SELECT agent, session, channel, seq, lag(seq) OVER
          (PARTITION BY agent, session, channel ORDER BY at) AS before FROM delivered)
      WHERE before > seq`,
  },
  {
    name: "messages of a channel were handled in another order than stored",
    counted: "misordered",
    sql: `SELECT * FROM (SELECT agent, channel, seq, lag(seq) OVER
          (PARTITION BY agent, channel ORDER BY at) AS before FROM handled)
      WHERE before > seq`,
  },
  {
    name: "the seqs of a channel are not 1, 2, 3 up to its end",
    counted: "gaps",
    sql: `SELECT c.channel, c.last_seq, count(s.seq) AS entries, min(s.seq), max(s.seq)
      FROM channels c LEFT JOIN stored s ON s.channel = c.channel GROUP BY c.channel
      HAVING entries <> c.last_seq OR (entries > 0 AND (min(s.seq) <> 1 OR max(s.seq) <> entries))`,
  },
  {
    name: "a session left entries out between two it delivered",
    counted: "gaps",
    sql: `SELECT * FROM (SELECT d.agent, d.session, d.channel, d.seq, due.nth, lag(due.nth) OVER
          (PARTITION BY d.agent, d.session, d.channel ORDER BY d.seq) AS before
        FROM delivered d JOIN due
          ON due.member = d.agent AND due.channel = d.channel AND due.seq = d.seq)
      WHERE nth > before + 1`,
  },
  {
    name: "a session began a channel beyond the first entry that was not acked",
    counted: "gaps",
    sql: `WITH firsts AS (SELECT d.agent, d.session, d.channel, min(d.seq) AS seq
          FROM delivered d GROUP BY d.agent, d.session, d.channel),
        tops AS (SELECT f.*, coalesce((SELECT a.top FROM acked_by_then a
          WHERE a.agent = f.agent AND a.channel = f.channel AND a.at < s.at
          ORDER BY a.at DESC LIMIT 1), 0) AS top
          FROM firsts f JOIN sessions s ON s.agent = f.agent AND s.session = f.session)
      SELECT tops.* FROM tops WHERE EXISTS (SELECT 1 FROM due WHERE due.member = tops.agent
        AND due.channel = tops.channel AND due.seq > tops.top AND due.seq < tops.seq)`,
  },
];

import type { Database } from "better-sqlite3";
import type { AuditEvent, AuditKind, AuditRange, AuditRow } from "../../hub/audit.js";

interface StoredRow {
  id: number;
  at_ms: number;
  event: AuditKind;
  actor: string;
  agent_id: string;
  channel_id: string;
  address: string;
  detail: string;
}

/** Statements about the audit log; triggers keep it as it was. */
export interface AuditRows {
  add(event: AuditEvent): void;
  /** The newest first. */
  range(range: AuditRange): AuditRow[];
}

export function prepareAuditRows(db: Database): AuditRows {
  const add = db.prepare<[Omit<StoredRow, "id">]>(
    `INSERT INTO audit (at_ms, event, actor, agent_id, channel_id, address, detail)
      VALUES (@at_ms, @event, @actor, @agent_id, @channel_id, @address, @detail)`,
  );
  const range = db.prepare<[Record<string, string | number | null>], StoredRow>(
    `SELECT * FROM audit WHERE id < @before AND at_ms >= @since
      AND (@event IS NULL OR event = @event) ORDER BY id DESC LIMIT @limit`,
  );

  return {
    add(event) {
      add.run({
        at_ms: event.atMs,
        event: event.event,
        actor: event.actor,
        agent_id: event.agentId,
        channel_id: event.channelId,
        address: event.address,
        detail: event.detail,
      });
    },
    range({ beforeId = Number.MAX_SAFE_INTEGER, sinceMs = 0, event = null, limit }) {
      return range.all({ before: beforeId, since: sinceMs, event, limit }).map(rowOf);
    },
  };
}

function rowOf(row: StoredRow): AuditRow {
  return {
    id: row.id,
    atMs: row.at_ms,
    event: row.event,
    actor: row.actor,
    agentId: row.agent_id,
    channelId: row.channel_id,
    address: row.address,
    detail: row.detail,
  };
}

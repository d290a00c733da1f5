import type { Database } from "better-sqlite3";
import type { KeyRecord, Role } from "../../hub/credentials.js";

interface KeyRow {
  key_id: string;
  pattern: string;
  role: Role;
  secret_hash: Buffer;
  label: string;
  created_at_ms: number;
  expires_at_ms: number;
  revoked_at_ms: number;
}

/** Statements about API keys, and the agents that credentials have named. */
export interface CredentialRows {
  keys(): KeyRecord[];
  putKey(key: KeyRecord): void;
  knowsAgent(agentId: string): boolean;
  nameAgent(agentId: string): void;
}

export function prepareCredentialRows(db: Database): CredentialRows {
  const keys = db.prepare<[], KeyRow>("SELECT * FROM keys ORDER BY id");
  const putKey = db.prepare<[KeyRow]>(
    `INSERT INTO keys (key_id, pattern, role, secret_hash, label, created_at_ms, expires_at_ms,
        revoked_at_ms)
      VALUES (@key_id, @pattern, @role, @secret_hash, @label, @created_at_ms, @expires_at_ms,
        @revoked_at_ms)
      ON CONFLICT (key_id) DO UPDATE SET pattern = @pattern, role = @role,
        secret_hash = @secret_hash, label = @label, created_at_ms = @created_at_ms,
        expires_at_ms = @expires_at_ms, revoked_at_ms = @revoked_at_ms`,
  );
  const knows = db.prepare<[string]>("SELECT 1 FROM agents WHERE agent_id = ?");
  const name = db.prepare<[string]>("INSERT OR IGNORE INTO agents (agent_id) VALUES (?)");

  return {
    keys: () => keys.all().map(keyOf),
    putKey(key) {
      putKey.run({
        key_id: key.keyId,
        pattern: key.pattern,
        role: key.role,
        secret_hash: Buffer.from(key.secretHash),
        label: key.label,
        created_at_ms: key.createdAtMs,
        expires_at_ms: key.expiresAtMs,
        revoked_at_ms: key.revokedAtMs,
      });
    },
    knowsAgent: (agentId) => knows.get(agentId) !== undefined,
    nameAgent(agentId) {
      name.run(agentId);
    },
  };
}

function keyOf(row: KeyRow): KeyRecord {
  return {
    keyId: row.key_id,
    pattern: row.pattern,
    role: row.role,
    secretHash: row.secret_hash,
    label: row.label,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
  };
}

import type { Context } from "./context.js";
import type { Caller } from "./credentials.js";

/** What the audit log notes. */
export const AUDIT_KINDS = [
  "key_created",
  "key_rotated",
  "key_revoked",
  "login_refused",
  "access_denied",
  "admin_list",
  "admin_read",
  "admin_end",
  /** There were more refusals than the log takes; `detail` says how many. */
  "suppressed",
] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** One line of the audit log. What does not apply is empty. */
export interface AuditEvent {
  atMs: number;
  event: AuditKind;
  /** Who did it: an agent, or `operator` for the command line. */
  actor: string;
  /** Whom it is about, where that is another agent. */
  agentId: string;
  channelId: string;
  /** Where the call came from. */
  address: string;
  /** The credential, the refusal, the call: never contents, never secrets. */
  detail: string;
}

/** A line as it is stored; ids grow. */
export interface AuditRow extends AuditEvent {
  id: number;
}

/** Which lines to read, the newest first. */
export interface AuditRange {
  /** Only smaller ids than this. */
  beforeId?: number | undefined;
  /** Only from this time on. */
  sinceMs?: number | undefined;
  event?: AuditKind | undefined;
  limit: number;
}

/** Notes what an admin did, in the transaction in which it is done. */
export async function noteAdmin(
  { tx, env }: Context,
  { agentId: actor, address }: Caller,
  event: "admin_list" | "admin_read" | "admin_end",
  about: { agentId?: string; channelId?: string },
): Promise<void> {
  await tx.audit([
    { atMs: env.nowMs(), event, actor, agentId: "", channelId: "", ...about, address, detail: "" },
  ]);
}

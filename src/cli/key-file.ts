import { isKeyId, newApiKey } from "../auth/api-key.js";
import type { AuditKind } from "../hub/audit.js";
import type { KeyRecord } from "../hub/credentials.js";
import { isWildcard } from "../protocol/pattern.js";
import type { Administration } from "../store/sqlite/administer.js";
import { CommandError, EXIT, UsageError } from "./exit.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import type { Settings } from "./settings.js";

/** The key of an id that a command was given. @throws CommandError where there is none */
export function keyOf(rows: Administration, keyId: string): KeyRecord {
  const key = rows.keys().find((one) => one.keyId === keyId);
  if (key !== undefined) return key;
  throw new CommandError(
    `there is no key ${keyId}; \`claw-chat keys list\` shows those there are`,
    EXIT.failed,
  );
}

/** A word that should be a key id. @throws UsageError that does not repeat what may be a secret */
export function keyIdOf(word: string): string {
  if (isKeyId(word)) return word;
  throw new UsageError(
    "a key is named by its id, 16 hex digits: those between claw_ and the next _ of the key.",
  );
}

/** Makes a key and stores all but its secret; within a transaction. */
export function addKey(
  rows: Administration,
  of: Omit<KeyRecord, "keyId" | "secretHash" | "revokedAtMs">,
): { record: KeyRecord; text: string } {
  const { keyId, text, secretHash } = newApiKey();
  const record: KeyRecord = { ...of, keyId, secretHash, revokedAtMs: 0 };
  rows.putKey(record);
  // An agent that a key was made for can be written to before it first comes (I3).
  if (!isWildcard(of.pattern)) rows.nameAgent(of.pattern);
  return { record, text };
}

/** Notes in the audit log what the operator does; in the same transaction. */
export function noteKey(
  rows: Administration,
  of: { atMs: number; event: AuditKind; key: KeyRecord; detail: string },
): void {
  const { atMs, event, key, detail } = of;
  const about = { actor: "operator", agentId: key.pattern, channelId: "", address: "" };
  rows.add({ atMs, event, ...about, detail });
}

/** Prints a new key: alone on stdout, so that a script can take it, with the rest beside it. */
export async function printNewKey(
  settings: Pick<Settings, "json">,
  of: { record: KeyRecord; text: string; notes?: string[] },
): Promise<void> {
  const { record, text, notes = [] } = of;
  const { keyId, pattern: agents, role, label, expiresAtMs } = record;
  const expiresAt = expiresAtMs === 0 ? undefined : new Date(expiresAtMs);
  const until = expiresAt === undefined ? "does not expire" : `until ${expiresAt.toISOString()}`;
  const lines = [`key ${keyId} for ${printable(agents)} (${role}), ${until}.`, ...notes];
  process.stderr.write(`${lines.join("\n")}\nThe key itself is shown this once.\n`);
  if (settings.json) await printJson({ keyId, key: text, agents, role, label, expiresAt });
  else await print(text);
}

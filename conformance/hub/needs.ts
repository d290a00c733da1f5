/** What a transcript may need of the hub and its surroundings; docs/conformance.md says more. */
export const NEEDS = {
  open: "a hub that asks nobody for credentials",
  credentials: "a hub that asks for credentials, and --agent-key",
  admin: "the key of an admin: --admin-key",
  "key-making": "keys made and revoked at will: --create-key and --revoke-key",
  restart: "a hub that the runner stops with SIGTERM and starts again: --start-command",
  "direct-chats": "a hub with chats without a service, as it is unless configured otherwise",
  "no-direct-chats": "a hub without direct chats: --has no-direct-chats",
  "usual-limits": "a hub with the limits that one has unless configured otherwise",
  "small-limits": "a hub with the small limits of docs/conformance.md: --has small-limits",
  "few-logins": "a hub that lets three logins of an address fail in a minute: --has few-logins",
  "few-connections": "a hub that takes two connections of an address: --has few-connections",
  "short-heartbeat": "a hub with a heartbeat interval of 1 s: --has short-heartbeat",
  "key-set-away": "a hub that takes tokens and cannot get the keys for them: --has key-set-away",
  "locked-database": "a database that the runner can lock: only the runner's own hub",
  "full-disk": "a disk with 1 MiB of room: --has full-disk",
} as const;

/** The name of one of them. */
export type Need = keyof typeof NEEDS;

/** Whether a text is the name of a need. */
export function isNeed(text: string): text is Need {
  return Object.hasOwn(NEEDS, text);
}

/** Those that only the operator of a hub can tell the runner of. */
export const DECLARED: readonly Need[] = [
  "no-direct-chats",
  "small-limits",
  "few-logins",
  "few-connections",
  "short-heartbeat",
  "key-set-away",
  "full-disk",
];

/** Transcripts with these disturb others on the same hub, and are played alone. */
const ALONE: readonly Need[] = [
  "restart",
  "few-logins",
  "few-connections",
  "locked-database",
  "full-disk",
];

/** Whether a transcript with these needs is played alone. */
export function isAlone(needs: readonly Need[]): boolean {
  return needs.some((need) => ALONE.includes(need));
}

import type { Need } from "./needs.ts";

/** One way in which the runner starts this repository's hub. */
export interface Profile {
  name: string;
  /** What a hub started like this gives. */
  has: readonly Need[];
  /** Flags of `claw-chat serve`. */
  args: readonly string[];
  /** Needs a file, because something else than this hub opens it, or it opens it twice. */
  file?: true;
  /** Its file lies on a disk of 1 MiB, which a machine may refuse to make. */
  smallDisk?: true;
}

/** The small limits, as flags; docs/conformance.md lists them for other hubs. */
const SMALL_LIMITS: readonly [string, number][] = [
  ["--max-message-bytes", 4096],
  ["--max-bytes-per-second", 8192],
  ["--max-pending-requests", 2],
  ["--max-channels", 4],
  ["--max-sessions", 3],
  ["--max-metadata-entries", 4],
  ["--max-metadata-bytes", 256],
  ["--max-unacked-per-channel", 4],
  ["--max-unacked", 6],
];

/** A transcript is played on the first that gives all it needs. */
export const PROFILES: readonly Profile[] = [
  { name: "plain", has: ["open", "direct-chats", "usual-limits"], args: [] },
  {
    name: "file",
    has: ["open", "direct-chats", "restart", "locked-database", "usual-limits"],
    args: [],
    file: true,
  },
  {
    name: "small",
    has: ["open", "direct-chats", "small-limits"],
    args: SMALL_LIMITS.flat().map(String),
  },
  {
    // Apart from the others: a session that has sent a heartbeat may not be silent here.
    name: "short-heartbeat",
    has: ["open", "short-heartbeat"],
    args: ["--heartbeat-interval", "1"],
  },
  {
    name: "credentials",
    has: ["credentials", "admin", "key-making", "direct-chats", "key-set-away", "usual-limits"],
    // Nobody listens on port 1, and the keys for tokens should come from there.
    args: [
      ...["--auth", "required", "--jwks", "http://127.0.0.1:1/jwks.json"],
      ...["--jwt-issuer", "conformance", "--jwt-audience", "claw-chat"],
      ...["--max-failed-logins-per-minute", "1000"],
    ],
    file: true,
  },
  {
    name: "few-logins",
    has: ["credentials", "direct-chats", "few-logins", "usual-limits"],
    args: ["--auth", "required", "--max-failed-logins-per-minute", "3"],
    file: true,
  },
  {
    name: "no-direct",
    has: ["open", "no-direct-chats", "usual-limits"],
    args: ["--no-direct-chats"],
  },
  {
    name: "few-connections",
    has: ["open", "direct-chats", "few-connections", "usual-limits"],
    args: ["--max-connections-per-address", "2"],
  },
  {
    name: "full-disk",
    has: ["open", "direct-chats", "full-disk", "usual-limits"],
    args: [],
    file: true,
    smallDisk: true,
  },
];

/** The first of these that gives all a transcript needs; undefined where none does. */
export function profileFor(
  needs: readonly Need[],
  profiles: readonly Profile[],
): Profile | undefined {
  return profiles.find(({ has }) => needs.every((need) => has.includes(need)));
}

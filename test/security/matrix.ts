/**
 * Who may do what: every call and frame, by every kind of caller, on a chat in every state. Each
 * cell is written down here; a test drives all of them over real connections, and
 * docs/security.md prints this table.
 */

/** Who calls. The first six never get past the door. */
export const CALLERS = [
  "no credentials",
  "malformed key",
  "wrong secret",
  "expired key",
  "revoked key",
  "another agent's name",
  "stranger",
  "consumer",
  "provider",
  "admin",
] as const;
export type Caller = (typeof CALLERS)[number];

/** What is there of the chat in question, and of the service it is about. */
export const STATES = ["missing", "pending", "active", "rejected", "ended"] as const;
export type ChatState = (typeof STATES)[number];

/** What is tried. */
export const OPERATIONS = [
  "Connect, receive none",
  "Connect, receive manual",
  "Connect, receive auto",
  "heartbeat",
  "chat_request by service_id",
  "chat_request by provider_id",
  "chat_accept by channel_id",
  "chat_accept by consumer_id",
  "chat_reject by channel_id",
  "chat_message by channel_id",
  "chat_message by service_id",
  "chat_message in another's name",
  "chat_end",
  "chat_history by channel_id",
  "chat_history by service_id",
  "acks",
  "set_aside",
  "RegisterService",
  "UnregisterService",
  "ListServices",
  "ListChannels",
  "ListChannels of a member",
  "ListChannels of all",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What each caller gets, state by state; a single word stands for all five. */
type Row = string | readonly [string, string, string, string, string];
type Rows = Record<"stranger" | "consumer" | "provider" | "admin", Row>;

const NO_CHANNEL = "CHANNEL_NOT_FOUND";
const NO_SERVICE = "SERVICE_NOT_FOUND";

const everybody = (row: Row): Rows => ({
  stranger: row,
  consumer: row,
  provider: row,
  admin: row,
});
const members = (of: Pick<Rows, "consumer" | "provider">, others: Row = NO_CHANNEL): Rows => ({
  stranger: others,
  ...of,
  admin: others,
});

const PAGES = [NO_CHANNEL, "page", "page", "page", "page"] as const;
const LISTED = ["not listed", "listed", "listed", "listed", "listed"] as const;

const BY_OPERATION: Record<Operation, Rows> = {
  "Connect, receive none": everybody("session"),
  "Connect, receive manual": everybody("session"),
  "Connect, receive auto": everybody("session"),
  heartbeat: everybody("answered"),
  // The service is for the consumer only.
  "chat_request by service_id": {
    stranger: NO_SERVICE,
    consumer: [NO_SERVICE, "stored", "stored", "stored", "stored"],
    provider: [NO_SERVICE, "SELF_CHAT", "SELF_CHAT", "SELF_CHAT", "SELF_CHAT"],
    admin: NO_SERVICE,
  },
  // A direct chat of the caller's own.
  "chat_request by provider_id": {
    stranger: "stored",
    consumer: "stored",
    provider: "SELF_CHAT",
    admin: "stored",
  },
  "chat_accept by channel_id": members({
    consumer: [NO_CHANNEL, "NOT_PROVIDER", "NOT_PROVIDER", "NOT_PROVIDER", "NOT_PROVIDER"],
    provider: [NO_CHANNEL, "stored", "repeated", "ALREADY_ANSWERED", "repeated"],
  }),
  "chat_accept by consumer_id": members({
    consumer: NO_CHANNEL,
    provider: [NO_CHANNEL, "stored", "repeated", "ALREADY_ANSWERED", "repeated"],
  }),
  "chat_reject by channel_id": members({
    consumer: [NO_CHANNEL, "NOT_PROVIDER", "NOT_PROVIDER", "NOT_PROVIDER", "NOT_PROVIDER"],
    provider: [NO_CHANNEL, "stored", "ALREADY_ANSWERED", "repeated", "ALREADY_ANSWERED"],
  }),
  "chat_message by channel_id": members({
    consumer: [NO_CHANNEL, "CHAT_NOT_ACCEPTED", "stored", "CHANNEL_ENDED", "CHANNEL_ENDED"],
    provider: [NO_CHANNEL, "CHAT_NOT_ACCEPTED", "stored", "CHANNEL_ENDED", "CHANNEL_ENDED"],
  }),
  "chat_message by service_id": members(
    {
      consumer: [
        NO_SERVICE,
        "CHAT_NOT_ACCEPTED",
        "stored",
        "CHAT_NOT_ACCEPTED",
        "CHAT_NOT_ACCEPTED",
      ],
      provider: [
        NO_SERVICE,
        "CHAT_NOT_ACCEPTED",
        "stored",
        "CHAT_NOT_ACCEPTED",
        "CHAT_NOT_ACCEPTED",
      ],
    },
    NO_SERVICE,
  ),
  "chat_message in another's name": everybody("SENDER_MISMATCH"),
  chat_end: {
    stranger: NO_CHANNEL,
    consumer: [NO_CHANNEL, "stored", "stored", "CHANNEL_ENDED", "repeated"],
    provider: [NO_CHANNEL, "CHAT_NOT_ACCEPTED", "stored", "CHANNEL_ENDED", "repeated"],
    admin: [NO_CHANNEL, "stored", "stored", "CHANNEL_ENDED", "repeated"],
  },
  "chat_history by channel_id": {
    stranger: NO_CHANNEL,
    consumer: PAGES,
    provider: PAGES,
    admin: PAGES,
  },
  "chat_history by service_id": members({ consumer: PAGES, provider: PAGES }),
  acks: members({
    consumer: [NO_CHANNEL, "taken", "taken", "taken", "taken"],
    provider: [NO_CHANNEL, "taken", "taken", "taken", "taken"],
  }),
  // Says something about this session's own deliveries only.
  set_aside: everybody("taken"),
  RegisterService: {
    stranger: ["done", "SERVICE_TAKEN", "SERVICE_TAKEN", "SERVICE_TAKEN", "SERVICE_TAKEN"],
    consumer: ["done", "SERVICE_TAKEN", "SERVICE_TAKEN", "SERVICE_TAKEN", "SERVICE_TAKEN"],
    provider: "done",
    admin: ["done", "SERVICE_TAKEN", "SERVICE_TAKEN", "SERVICE_TAKEN", "SERVICE_TAKEN"],
  },
  UnregisterService: {
    stranger: NO_SERVICE,
    consumer: [NO_SERVICE, "NOT_PROVIDER", "NOT_PROVIDER", "NOT_PROVIDER", "NOT_PROVIDER"],
    provider: [NO_SERVICE, "done", "done", "done", "done"],
    admin: NO_SERVICE,
  },
  ListServices: members({ consumer: LISTED, provider: LISTED }, "not listed"),
  ListChannels: members({ consumer: LISTED, provider: LISTED }, "not listed"),
  "ListChannels of a member": { ...everybody("NOT_ADMIN"), admin: LISTED },
  "ListChannels of all": { ...everybody("NOT_ADMIN"), admin: LISTED },
};

/** What those get who never get past the door, whatever they try. */
const AT_THE_DOOR: Partial<Record<Caller, string>> = {
  "no credentials": "MISSING_CREDENTIALS",
  "malformed key": "BAD_CREDENTIALS",
  "wrong secret": "BAD_CREDENTIALS",
  "expired key": "CREDENTIALS_EXPIRED",
  "revoked key": "CREDENTIALS_REVOKED",
  "another agent's name": "AGENT_NOT_ALLOWED",
};

/** What is to come of one cell. */
export function expected(operation: Operation, caller: Caller, state: ChatState): string {
  const refused = AT_THE_DOOR[caller];
  if (refused !== undefined) return refused;
  const row = BY_OPERATION[operation][caller as keyof Rows];
  const word = typeof row === "string" ? row : row[STATES.indexOf(state)];
  if (word === undefined) throw new Error(`no expectation for ${operation} by ${caller}`);
  return word;
}

/** The table as docs/security.md has it: a line for each operation and caller. */
export function matrixTable(): string {
  const door = CALLERS.filter((caller) => caller in AT_THE_DOOR);
  const inside = CALLERS.filter((caller) => !(caller in AT_THE_DOOR));
  const lines = ["| Caller | Whatever it tries |", "|---|---|"];
  for (const caller of door) lines.push(`| ${caller} | \`${AT_THE_DOOR[caller]}\` |`);
  lines.push("", `| Call or frame | Caller | ${STATES.join(" | ")} |`);
  lines.push(`|---|---|${"---|".repeat(STATES.length)}`);
  for (const operation of OPERATIONS) {
    for (const [index, caller] of inside.entries()) {
      const cells = STATES.map((state) => shown(expected(operation, caller, state)));
      lines.push(`| ${index === 0 ? operation : ""} | ${caller} | ${cells.join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

function shown(word: string): string {
  return /^[A-Z_]+$/.test(word) ? `\`${word}\`` : word;
}

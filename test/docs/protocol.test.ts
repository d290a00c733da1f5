import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as limits from "../../src/protocol/limits.js";
import {
  GRPC_STATUS,
  REFUSALS,
  type RefusalReason,
  refusalKind,
} from "../../src/protocol/refusals.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = readFileSync(`${root}docs/protocol.md`, "utf8");

const RULES = [
  ["I", [1, 2, 3, 4, 5]],
  ["S", [1, 2, 3]],
  ["C", [1, 2, 3, 4, 5, 6, 7, 8]],
  ["A", [1, 2, 3]],
  ["M", [1, 2, 3, 4, 5, 6, 7, 8]],
  ["D", [1, 2, 3, 4, 5, 6, 7]],
  ["L", [1, 2, 3]],
] as const;

test("docs/protocol.md states every rule once, in order", () => {
  const stated = [...text.matchAll(/^\*\*([A-Z]\d+)\*\* \S/gm)].map((match) => match[1]);
  expect(stated).toEqual(RULES.flatMap(([letter, numbers]) => numbers.map((n) => `${letter}${n}`)));
});

test("docs/protocol.md cites no rule that it does not state", () => {
  const stated = new Set([...text.matchAll(/^\*\*([A-Z]\d+)\*\*/gm)].map((match) => match[1]));
  const cited = [...text.matchAll(/\b([ISCAMDL]\d)\b/g)].map((match) => match[1]);
  expect(cited.length).toBeGreaterThan(stated.size);
  expect(cited.filter((id) => !stated.has(id))).toEqual([]);
});

test("docs/protocol.md prints the table of refusals", () => {
  const begin = "<!-- refusals:begin, printed from src/protocol/refusals.ts -->\n";
  const end = "<!-- refusals:end -->";
  expect(text).toContain(begin);
  const printed = text.slice(text.indexOf(begin) + begin.length, text.indexOf(end));
  const right = refusalTable();
  expect(printed, `between the markers belongs:\n\n${right}\n`).toBe(right);
});

test("docs/protocol.md names no refusal that the table does not have", () => {
  const known = new Set<string>([...Object.keys(REFUSALS), ...Object.keys(GRPC_STATUS)]);
  const codes = [
    "OPEN",
    "REQUESTED",
    "ACTIVE",
    "REJECTED",
    "ENDED",
    "AUTO",
    "EXPIRED",
    "WITHDRAWN",
    "POLICY",
  ];
  for (const word of [...codes, "NOT_SERVING", "REJECT_CODE_BUSY"]) known.add(word);
  const named = [...text.matchAll(/`([A-Z][A-Z_]+)`/g)].map((match) => match[1] ?? "");
  expect(named.length).toBeGreaterThan(Object.keys(REFUSALS).length);
  expect(named.filter((word) => !known.has(word))).toEqual([]);
});

test("the JSON examples in docs/protocol.md are requests, word for word", () => {
  const examples = [...text.matchAll(/^```json\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? "");
  const piped = [...text.matchAll(/-d '(\{.*\})'/g)].map((match) => match[1] ?? "");
  expect(examples.length).toBeGreaterThan(2);
  expect(piped.length).toBeGreaterThan(0);
  // What comes back differs where a field is unknown, or not in the form that is printed.
  for (const example of [...examples, ...piped]) {
    expect(throughBinary(example)).toEqual(JSON.parse(example));
  }
});

test("docs/protocol.md states the limits of src/protocol/limits.ts", () => {
  const kib = (bytes: number) => `${bytes / 1024} KiB`;
  const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  const { MAX_METADATA_ENTRIES, MAX_METADATA_BYTES, MAX_TAGS, MAX_TAG_BYTES } = limits;
  const rows = [
    `| agent and service ids | ${limits.MAX_ID_CHARS} characters`,
    `\`reply_to\` | ${limits.MAX_KEY_BYTES} bytes`,
    `| a request, encoded | ${mib(limits.DEFAULT_MAX_MESSAGE_BYTES)}`,
    `the ${mib(limits.MAX_TRANSPORT_BYTES)} that the transport takes`,
    `| a response, encoded | ${mib(limits.MAX_RESPONSE_BYTES)} |`,
    `| \`metadata\` | ${MAX_METADATA_ENTRIES} entries and ${kib(MAX_METADATA_BYTES)},`,
    `| \`content_type\` | ${limits.MAX_CONTENT_TYPE_BYTES} bytes |`,
    `| description of a service | ${kib(limits.MAX_DESCRIPTION_BYTES)} |`,
    `\`chat_reject\` or \`chat_end\` | ${kib(limits.MAX_REASON_BYTES)} |`,
    `| tags of a service | ${MAX_TAGS}, each 1 to ${MAX_TAG_BYTES} bytes |`,
    `| \`timeout\` and \`retry_after\` | ${limits.MAX_DURATION_MS / 86_400_000} days;`,
    `${limits.DEFAULT_REQUEST_TIMEOUT_MS / 60_000} minutes where it says`,
    `| ${limits.MAX_PAGE_SIZE}, and more is read as ${limits.MAX_PAGE_SIZE}; ${limits.DEFAULT_PAGE_SIZE} where`,
    `| \`allowed_consumers\` of a service | ${limits.MAX_ALLOWED_CONSUMERS}, each up to ${limits.MAX_ID_CHARS}`,
    `and its services | ${limits.DEFAULT_LIMITS.maxChannels} unless`,
    `| sessions of an agent | ${limits.DEFAULT_LIMITS.maxSessions} unless`,
    `| requests of an agent | ${limits.DEFAULT_LIMITS.maxFramesPerSecond} and ${mib(limits.DEFAULT_LIMITS.maxBytesPerSecond)} a second`,
    `| \`acks\` in one request | ${limits.MAX_ACKS} |`,
    `| \`set_aside\` in one request | ${limits.MAX_ACKS} |`,
    `${limits.DEFAULT_LIMITS.maxConnectionsPerAddress}, ${limits.DEFAULT_LIMITS.maxConnections} unless`,
    `| calls of a connection at a time | ${limits.MAX_CALLS_OF_A_CONNECTION} |`,
    `${limits.DEFAULT_MAX_UNACKED_PER_CHANNEL} of a channel and ${limits.DEFAULT_MAX_UNACKED} in all ` +
      `unless configured otherwise, ${limits.MAX_UNACKED_BYTES / 1024 / 1024} MiB (D5)`,
  ];
  expect(rows.filter((row) => !text.replaceAll("\n", " ").includes(row))).toEqual([]);
});

test("links in docs/protocol.md lead somewhere", () => {
  const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? "");
  const headings = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
  const anchors = headings.map((heading) => `#${heading.toLowerCase().replaceAll(" ", "-")}`);
  expect(targets.length).toBeGreaterThan(headings.length);
  const leadsNowhere = (target: string) =>
    target.startsWith("#") ? !anchors.includes(target) : !existsSync(`${root}docs/${target}`);
  expect(targets.filter(leadsNowhere)).toEqual([]);
});

function refusalTable(): string {
  const lines = ["| Reason | gRPC code | Retryable | When |", "|---|---|---|---|"];
  for (const [reason, row] of Object.entries(REFUSALS) as [RefusalReason, { when: string }][]) {
    const { code, retryable, retryAfterMs } = refusalKind(reason);
    const name = Object.entries(GRPC_STATUS).find(([, number]) => number === code)?.[0];
    const pause = retryAfterMs === undefined ? "" : `, after ${retryAfterMs / 1000} s`;
    const again = retryable ? `yes${pause}` : "no";
    lines.push(`| \`${reason}\` | ${code} \`${name}\` | ${again} | ${row.when} |`);
  }
  return `${lines.join("\n")}\n`;
}

/** A request from JSON to its wire bytes and back, by another implementation than the hub's. */
function throughBinary(json: string): unknown {
  const convert = (from: string, to: string, input: string | Buffer): Buffer =>
    execFileSync(
      `${root}node_modules/.bin/buf`,
      ["convert", "proto", "--type", "claw.chat.v1.ConnectRequest", "--from", from, "--to", to],
      { cwd: root, input },
    );
  return JSON.parse(
    convert(
      "-#format=bin",
      "-#format=json",
      convert("-#format=json", "-#format=bin", json),
    ).toString(),
  );
}

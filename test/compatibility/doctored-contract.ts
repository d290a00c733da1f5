import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type KeptContract, keptContract } from "../upgrades/kept-contract.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PROTO = "proto/claw/chat/v1/chat_hub.proto";

/** What a later version may add, each behind the line that opens the type it belongs to. */
const ADDITIONS: [after: RegExp, lines: string][] = [
  [
    /^message ConnectRequest \{[\s\S]*?oneof frame \{\n/m,
    "ChatTyping chat_typing = 16; ChatEdit chat_edit = 29;",
  ],
  [
    /^message ConnectResponse \{[\s\S]*?oneof frame \{\n/m,
    "ChatTyping chat_typing = 16; HubNews hub_news = 40;",
  ],
  [/^message ConnectRequest \{\n/m, "string trace_id = 5; Sealed seal = 60;"],
  [/^message ConnectResponse \{\n/m, "uint64 hub_clock = 4; Sealed seal = 60;"],
  ...["ChatRequest", "ChatAccept", "ChatReject", "ChatMessage", "ChatEnd", "ChatError", "GoAway"]
    .concat("Service", "Channel", "Receipt", "SessionStarted", "SessionLimits")
    .map((name): [RegExp, string] => [
      new RegExp(`^message ${name} \\{\\n`, "m"),
      "string wish = 100; Sealed seal = 101;",
    ]),
  [/^enum RejectCode \{\n/m, "REJECT_CODE_TOO_DEAR = 6; REJECT_CODE_QUARANTINED = 1000;"],
  [/^enum EndCode \{\n/m, "END_CODE_MOVED = 5; END_CODE_SEIZED = 1000;"],
  [/^enum ChannelState \{\n/m, "CHANNEL_STATE_PAUSED = 6;"],
  [/^enum AcceptPolicy \{\n/m, "ACCEPT_POLICY_AUCTION = 3;"],
  [/^enum ReceiveMode \{\n/m, "RECEIVE_MODE_BATCHED = 4;"],
];

const NEW_TYPES = `
message ChatTyping { string channel_id = 1; uint64 seq = 2; }
message ChatEdit { string channel_id = 1; string content = 2; }
message HubNews { string text = 1; }
message Sealed { string by = 1; repeated uint64 numbers = 2; }
`;

/** The contract of a later version of the hub: today's, with something new of every kind. */
export function doctoredContract(): KeptContract {
  let proto = readFileSync(join(root, PROTO), "utf8");
  for (const [after, lines] of ADDITIONS) {
    const opened = after.exec(proto);
    if (opened === null) throw new Error(`the proto has nothing like ${after}`);
    const end = opened.index + opened[0].length;
    // The first value of an enum must stay the first: it is 0.
    const at = proto.startsWith("enum", opened.index) ? proto.indexOf("= 0;\n", end) + 5 : end;
    proto = `${proto.slice(0, at)}${lines}\n${proto.slice(at)}`;
  }
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-doctored-"));
  try {
    const file = join(folder, PROTO);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, proto + NEW_TYPES);
    const built = execFileSync(
      join(root, "node_modules/.bin/buf"),
      ["build", join(folder, "proto"), "-o", "-#format=binpb"],
      { cwd: folder, maxBuffer: 16 * 1024 * 1024 },
    );
    return keptContract(built);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { ownCommands, type PastingShell, startPastingShell } from "../support/pasting-shell.js";
import { SKIP_GRPCURL, SKIP_OPENSSL } from "../support/tools.js";
import { keptContract } from "../upgrades/kept-contract.js";
import { readMarkdown } from "./markdown.js";

const root = new URL("../../", import.meta.url);
const blocks = readMarkdown(readFileSync(new URL("docs/grpcurl.md", root), "utf8")).blocks;
const lines = blocks.flatMap(({ text }) => text.trimEnd().split("\n"));
const contract = keptContract(readFileSync(new URL("gen/descriptor.binpb", root)));
/** What the document shows being refused. */
const REFUSED = '"request_id": "a4"';

let hub: TestHub;
let shell: PastingShell;
beforeAll(async () => {
  hub = await startTestHub();
  shell = startPastingShell({ CLAW_HUB: hub.address });
});
afterAll(async () => {
  await shell.end();
  await hub.stop();
});

test("every block of docs/grpcurl.md is lines for a shell", () => {
  expect(blocks.length).toBeGreaterThan(10);
  expect(blocks.filter(({ language }) => language !== "sh")).toEqual([]);
});

test("docs/grpcurl.md has a line for every call, frame and field of a request there is", () => {
  expect(callsWithout(lines, "grpcurl ")).toEqual([]);
  expect(fieldsWithout(lines)).toEqual([]);
});

test("a call or frame without a line is found", () => {
  const without = (word: string) => lines.filter((line) => !line.includes(word));
  expect(callsWithout(without("UnregisterService"), "grpcurl ")).toEqual(["UnregisterService"]);
  expect(fieldsWithout(without("chat_reject"))).toEqual(["chat_reject"]);
  expect(fieldsWithout(without("set_aside"))).toEqual(["set_aside"]);
});

test.skipIf(SKIP_GRPCURL || SKIP_OPENSSL)(
  "L1, M5, D6, I4: the lines of docs/grpcurl.md, pasted one after the other, do what it says",
  // Some seventy processes, one after the other.
  { timeout: 180_000 },
  async () => {
    let tlsHub = "localhost:8766";
    for (const line of lines) {
      const here = ownCommands(line)
        .replaceAll("localhost:8765", hub.address)
        .replace("--listen localhost:8766", "--listen localhost:0")
        .replaceAll("localhost:8766", tlsHub);
      const sessions = greetingsIn(shell.output());
      const { code, output } = await shell.paste(here);
      expect({ line, code, output }).toEqual({ line, code: 0, output: expect.anything() });
      // buf opens its stream with the first frame.
      if (/^exec \d> >\(grpcurl /.test(line)) {
        await shell.until((text) => greetingsIn(text) > sessions || null);
      }
      if (line.endsWith(" &")) {
        const [, port] = await shell.until((text) => /listens on \S+:(\d+)/.exec(text));
        tlsHub = `localhost:${port}`;
      }
      const [, typed] = /^echo .*"request_id": "(\w+)".*>&\d$/.exec(line) ?? [];
      if (typed !== undefined) {
        await shell.until((text) => text.includes(`"requestId": "${typed}"`) || null);
      }
    }
    const said = shell.output();
    expect(
      contract.framesOf("ConnectResponse").filter((name) => !said.includes(`"${name}"`)),
    ).toEqual([]);
    expect(said.match(/"reason": "[A-Z_]+"/g)).toEqual([
      '"reason": "CHANNEL_NOT_FOUND"',
      '"reason": "SUPERSEDED"',
    ]);
    expect(lines.filter((line) => line.includes(REFUSED))).toHaveLength(1);
    for (const kept of ["Not today.", "And on Sunday?", "Rain in Oslo.", "A little."]) {
      expect(said).toContain(`"content": "${kept}"`);
    }
    expect(said).toMatch(/"state": "CHANNEL_STATE_ENDED"[\s\S]*"endCode": "END_CODE_COMPLETED"/);
    expect(said).not.toMatch(/claw_[0-9a-f]{16}_/);
  },
);

function greetingsIn(text: string): number {
  return text.match(/"sessionStarted": /g)?.length ?? 0;
}

/** The calls for which no line of a tool is there. */
function callsWithout(shown: string[], tool: string): string[] {
  const all = contract.methods.map(({ name }) => name);
  expect(all.length).toBeGreaterThan(0);
  const called = shown.filter((line) => line.includes(tool)).join("\n");
  return all.filter((name) => !called.includes(`claw.chat.v1.ChatHub/${name}`));
}

/** The fields of a request of a session, frames among them, that no line sets. */
function fieldsWithout(shown: string[]): string[] {
  const fields = contract.registry.getMessage("claw.chat.v1.ConnectRequest")?.fields ?? [];
  expect(fields.length).toBeGreaterThan(6);
  const all = shown.join("\n");
  return fields.map(({ name }) => name).filter((name) => !all.includes(`"${name}": `));
}

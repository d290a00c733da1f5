import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compatibility } from "../../scripts/check/breaking.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PROTO = "proto/claw/chat/v1/chat_hub.proto";

let folder: string;
let repository: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "claw-chat-breaking-"));
  repository = join(folder, "repository");
  mkdirSync(repository);
  for (const name of ["proto", "buf.yaml"]) {
    cpSync(join(root, name), join(repository, name), { recursive: true });
  }
  git("init", "--initial-branch", "main");
  commit("Begin");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["a field that is renumbered", "string reply_to = 12;", "string reply_to = 112;"],
  ["a field that has another name", "string reply_to = 12;", "string answers = 12;"],
  ["a field that has another type", "uint32 limit = 3;", "uint64 limit = 3;"],
  ["an enum value that is gone", /.*\n {2}END_CODE_FAILED = 3;\n/, ""],
  ["a frame that left its oneof", /(.*\n {4}GoAway go_away = 33;\n)( {2}\})/, "$2\n$1"],
  ["a call that is gone", /rpc ListChannels\(.*\n/, ""],
])("the gate finds %s since the newest release", async (_what, from, to) => {
  git("tag", "v0.1.0");
  change(/^syntax/, "// A remark.\nsyntax");
  commit("Say more");
  change(from, to);
  const found = await compatibility(repository, earlier());
  expect(found).toMatchObject({ ok: false, looked: "1 protos, compared with v0.1.0" });
  expect(found.output).toContain(PROTO);
});

test("the gate lets pass what only adds, and says what it has compared with", async () => {
  git("tag", "v0.1.0");
  git("tag", "v0.2.0");
  change("string reply_to = 12;", "string reply_to = 12;\n  string mood = 13;");
  commit("Add a mood");
  change("string mood = 13;", "string mood = 13;\n  string tone = 14;");
  const found = await compatibility(repository, earlier());
  expect(found).toMatchObject({ ok: true, looked: "1 protos, compared with v0.2.0" });
});

test("before the first release the gate compares with the commit before", async () => {
  change("string reply_to = 12;", "string reply_to = 12;\n  string mood = 13;");
  commit("Add a mood");
  expect(await compatibility(repository, earlier())).toMatchObject({ ok: true });
  change("string mood = 13;", "string mood = 14;");
  commit("Move it");
  expect(await compatibility(repository, earlier())).toMatchObject({ ok: false });
});

function git(...args: string[]): void {
  const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  execFileSync("git", [...author, "-c", "commit.gpgsign=false", ...args], {
    cwd: repository,
    stdio: "pipe",
  });
}

function commit(subject: string): void {
  git("add", "--all");
  git("commit", "--message", subject);
}

function change(from: string | RegExp, to: string): void {
  const file = join(repository, PROTO);
  const before = readFileSync(file, "utf8");
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

/** An empty folder. */
function earlier(): string {
  return mkdtempSync(join(folder, "earlier-"));
}

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { endCli, testFolder } from "../support/cli.js";
import { startPastingShell } from "../support/pasting-shell.js";
import { SKIP_GRPCURL, SKIP_OPENSSL } from "../support/tools.js";
import { readMarkdown } from "./markdown.js";

const root = new URL("../../", import.meta.url);
const document = readFileSync(new URL("docs/security.md", root), "utf8");
const [, inPublic = ""] = /^## In public\n([\s\S]*?)^## /m.exec(document) ?? [];
const lines = readMarkdown(inPublic).blocks.flatMap(({ text }) => text.trimEnd().split("\n"));

const folder = testFolder();
const shell = startPastingShell();
afterAll(async () => {
  await shell.end();
  await endCli();
});

test.skipIf(SKIP_GRPCURL || SKIP_OPENSSL)(
  "I1, I2, S3: the lines of docs/security.md, pasted one after the other, put a hub on a network",
  async () => {
    expect(lines.length).toBeGreaterThan(15);
    const main = new URL("dist/src/cli/main.js", root).pathname;
    await shell.paste(`cd '${folder}'; claw-chat() { '${process.execPath}' '${main}' "$@"; }`);
    let address = "";
    const said = new Map<string, string>();
    for (const line of lines) {
      const here = line
        .replaceAll("hub.example.org:8765", address)
        .replaceAll("hub.example.org", "localhost")
        .replace("--listen 0.0.0.0:8765", "--listen 0.0.0.0:0");
      const serves = line.startsWith("claw-chat serve ");
      const { code, output } = await shell.paste(serves ? `${here} &` : here);
      expect({ line, code, output }).toEqual({ line, code: 0, output: expect.anything() });
      said.set(line.replace(/^\w+=\S+ \S+ /, ""), output);
      if (serves) {
        const [, port] = await shell.until((text) => /listens on \S+:(\d+)/.exec(text));
        address = `localhost:${port}`;
      }
    }
    const output = (beginning: string) =>
      [...said].find(([line]) => line.startsWith(beginning))?.[1] ?? "";
    for (const file of ["operator.key", "ca.key", "hub.db", "backup.db"]) {
      expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0);
    }
    expect(output("claw-chat request")).toContain("accepted");
    expect(output("grpcurl")).toContain('"serviceId": "weather-svc"');
    expect(output("claw-chat channels")).toContain("shop-1");
    expect(output("claw-chat audit")).toMatch(/key_created[\s\S]*key_rotated[\s\S]*key_revoked/);
    expect(shell.output()).not.toMatch(/claw_[0-9a-f]{16}_/);

    // What was done last holds: the shop is out, the provider has a key more.
    const asShop = await shell.paste(
      lines.find((line) => line.includes("claw-chat request")) ?? "",
    );
    expect(asShop.output).toContain("CREDENTIALS_REVOKED");
    const provider = lines.find((line) => line.includes("claw-chat register")) ?? "";
    expect(await shell.paste(provider.replace(".key)", ".key.new)"))).toMatchObject({ code: 0 });
  },
  120_000,
);

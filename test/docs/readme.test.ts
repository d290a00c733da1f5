import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileKeyOf, flagOf, SETTINGS, variableOf } from "../../src/cli/settings.js";
import { endCli, startScript, testFolder } from "../support/cli.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { runTool, SKIP_GRPCURL } from "../support/tools.js";
import { type CodeBlock, readMarkdown } from "./markdown.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const english = readMarkdown(readFileSync(`${root}README.md`, "utf8"));
const chinese = readMarkdown(readFileSync(`${root}README.zh-CN.md`, "utf8"));
const both = [
  ["README.md", english],
  ["README.zh-CN.md", chinese],
] as const;

/** The blocks by what the tests below do with them; each must have its place here. */
const npmCommands = shellBlocks(/^npm ci && npm (run )?\w+$/);
const agents = english.blocks.filter(({ language }) => language === "ts");
const grpcurlCalls = shellBlocks(/^grpcurl (?!.* -d @ ).*$/);
const grpcurlStreams = shellBlocks(/^grpcurl .* -d @ .*$/);
const clawChatCalls = shellBlocks(/^npx claw-chat .*$/);
const diagrams = english.blocks.filter(({ language }) => language === "mermaid");

const children = new Set<ChildProcess>();
let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(async () => {
  // The whole group: npm has a child of its own.
  for (const { pid } of children) if (pid !== undefined) process.kill(-pid, "SIGKILL");
  await endCli();
  await hub.stop();
});

test("every block of README.md is run by one of these tests, the diagram excepted", () => {
  const placed = [npmCommands, agents, grpcurlCalls, grpcurlStreams, clawChatCalls, diagrams];
  expect(placed.map((blocks) => blocks.length)).toEqual([2, 2, 1, 1, 1, 1]);
  expect(new Set(placed.flat())).toEqual(new Set(english.blocks));
  expect(placed.flat()).toHaveLength(english.blocks.length);
});

test("npm knows every command that README.md gives it", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const named = npmCommands.flatMap(linesOf).map((line) => line.split(" ").at(-1) ?? "");
  expect(named).toEqual(["demo", "test"]);
  for (const script of [...named, "start", "build"]) expect(scripts).toHaveProperty(script);
  // The tests of the demo run this file.
  expect(scripts.demo).toMatch(/ && node examples\/demo\/main\.ts$/);
});

test("`npm start` runs a hub", async () => {
  const env = { ...withoutSettings(), CLAW_LISTEN: "127.0.0.1:0" };
  const db = join(testFolder(), "hub.db");
  const child = run("npm start --ignore-scripts", { ...env, CLAW_DB: db });
  expect(await child.said(/listens on .*/)).toMatch(/127\.0\.0\.1:\d+$/);
  child.process.kill("SIGTERM");
  await child.ended;
  expect(existsSync(db)).toBe(true);
});

test("the provider and the consumer in TypeScript hold their conversation", async () => {
  const [provider, consumer] = agents.map((block) => atHub(block.text));
  const here = projectFolder("this folder");
  const elsewhere = projectFolder("a project of your own");
  writeFileSync(join(here, "provider.ts"), provider ?? "");
  writeFileSync(join(elsewhere, "consumer.ts"), consumer ?? "");

  const answering = startScript(join(here, "provider.ts"), [], { cwd: here });
  await answering.said("stdout", /^ready$/m);
  const asking = await startScript(join(elsewhere, "consumer.ts"), [], { cwd: elsewhere }).result;
  expect(asking).toMatchObject({
    code: 0,
    stdout: "weather-provider says: Beijing: sunny, 25 °C\n2 messages are kept\n",
    stderr: "",
  });
  answering.child.kill("SIGINT");
  expect(await answering.result).toMatchObject({
    code: 0,
    stdout: "ready\nweather-consumer asks: The weather, please\n",
    stderr: "",
  });
});

test("the provider and the consumer have under 30 lines and no type errors", () => {
  expect(agents.map((block) => linesOf(block).length < 30)).toEqual([true, true]);
  const folder = projectFolder("this folder");
  const files = agents.map((block, index) => {
    const file = `agent-${index}.ts`;
    writeFileSync(join(folder, file), block.text);
    return file;
  });
  const flags = "--noEmit --strict --skipLibCheck --module nodenext --target es2024 --types node";
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const check = () =>
    execFileSync(process.execPath, [compiler, ...flags.split(" "), ...files], {
      cwd: folder,
      encoding: "utf8",
    });
  expect(check()).toBe("");
});

test.skipIf(SKIP_GRPCURL)("the grpcurl lines hold their conversation", async () => {
  const answers: string[] = [];
  for (const line of grpcurlCalls.flatMap(linesOf)) {
    const { code, stdout, stderr } = await runTool("bash", ["-c", atHub(line)]);
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
    expect(stdout, line).not.toContain('"error"');
    answers.push(stdout);
  }
  expect(answers[1]).toContain('"serviceId": "rain-svc"');
  expect(answers.at(-1)).toMatch(/"content": "In Beijing\?"[\s\S]*"content": "Not today\."/);

  // The stream that stays open, for the same agent: it is sent what it missed, and says more.
  const [line = ""] = grpcurlStreams.flatMap(linesOf);
  const stream = run(atHub(line));
  await stream.said(/"content": "Not today\."/);
  stream.process.stdin.write('{"chat_message": {"service_id": "rain-svc", "content": "Later?"}}\n');
  await stream.said(/"receipts"/);
  stream.process.stdin.end();
  expect(await stream.ended).toBe(0);
});

test("the claw-chat lines hold their conversation", async () => {
  const env = { ...withoutSettings(), CLAW_HUB: hub.address };
  const answers: string[] = [];
  for (const line of clawChatCalls.flatMap(linesOf)) {
    const built = line.replace(/^npx claw-chat/, `"${process.execPath}" dist/src/cli/main.js`);
    const command = run(built, env);
    command.process.stdin.end();
    const code = await command.ended;
    expect({ line, code, output: command.output() }).toMatchObject({ line, code: 0 });
    answers.push(command.output());
  }
  const [, services, , , history, heard] = answers;
  expect(services).toContain("snow-svc");
  expect(history).toContain("In Harbin?");
  expect(heard).toMatch(/bob asks.*Will it snow\?[\s\S]*In Harbin\?/);
});

test.each(both)("the table of settings in %s is the one the program has", (_name, { tables }) => {
  const [header, ...rows] = tables.at(-1) ?? [];
  expect(header).toHaveLength(4);
  const code = (text: string) => `\`${text}\``;
  const expected = Object.entries(SETTINGS).map(([name, { defaultValue }]) => [
    code(defaultValue === true ? flagOf(name).replace("--", "--no-") : flagOf(name)),
    code(variableOf(name)),
    code(fileKeyOf(name)),
    defaultValue === undefined ? "" : code(String(defaultValue)),
  ]);
  expect(rows.toSorted()).toEqual(expected.toSorted());
});

test("README.zh-CN.md has what README.md has, in the same order", () => {
  const shape = ({ headingLevels, tables }: typeof english) => ({
    headingLevels,
    tables: tables.map((rows) => rows.map((cells) => cells.length)),
  });
  expect(chinese.blocks).toEqual(english.blocks);
  expect(shape(chinese)).toEqual(shape(english));
  expect(chinese.links).toEqual(["README.md", ...english.links.slice(1)]);
  expect(english.links[0]).toBe("README.zh-CN.md");
  const firstCells = ({ tables }: typeof english) =>
    tables.map(([, ...rows]) => rows.map(([first]) => first));
  expect(firstCells(chinese)).toEqual(firstCells(english));
});

test.each(both)("the links in %s lead somewhere", (_name, { links }) => {
  const local = links.filter((target) => !target.startsWith("https://"));
  expect(local.length).toBeGreaterThan(0);
  expect(local.filter((target) => !existsSync(join(root, target)))).toEqual([]);
});

/** The shell blocks of README.md whose every line looks like this. */
function shellBlocks(pattern: RegExp): CodeBlock[] {
  return english.blocks.filter(
    (block) => block.language === "sh" && linesOf(block).every((line) => pattern.test(line)),
  );
}

function linesOf({ text }: CodeBlock): string[] {
  return text.trimEnd().split("\n");
}

/** A snippet, made to talk to this test's hub. */
function atHub(snippet: string): string {
  expect(snippet).toContain("localhost:8765");
  return snippet.replaceAll("localhost:8765", hub.address);
}

/** A folder like one of the two places where README.md says that agents can live. */
function projectFolder(place: "this folder" | "a project of your own"): string {
  const folder = testFolder();
  if (place === "this folder") {
    for (const name of ["package.json", "dist", "node_modules"]) {
      symlinkSync(join(root, name), join(folder, name));
    }
  } else {
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/claw-chat-hub"));
  }
  return folder;
}

/** This process's environment without the settings of whoever runs the tests. */
function withoutSettings(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith("CLAW_"));
  return Object.fromEntries(entries);
}

/** Runs a line as it would be typed in the repository's folder; its stdin stays open. */
function run(line: string, env: NodeJS.ProcessEnv = process.env) {
  const child = spawn("bash", ["-c", line], { cwd: root, env, stdio: "pipe", detached: true });
  children.add(child);
  child.once("close", () => children.delete(child));
  let output = "";
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const look of [...watchers]) look();
    });
  }
  const ended: Promise<number | null> = once(child, "close").then(([code]) => code);
  return {
    process: child,
    /** What it wrote to stdout and stderr. */
    output: () => output,
    /** Resolves with what fits as soon as it was said; rejects when the line ends before. */
    said: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output);
          if (match !== null) resolve(match[0]);
        };
        watchers.add(look);
        look();
        ended.then((code) => reject(new Error(`ended (${code}) before ${pattern}: ${output}`)));
      }),
    ended,
  };
}

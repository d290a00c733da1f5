import { afterAll, expect, test } from "vitest";
import { nodeAdvice, nodeProblem } from "../../src/cli/node-version.js";
import { endCli } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";

afterAll(endCli);

const COMMANDS = [
  ...["serve", "register", "unregister", "services", "request", "accept", "reject"],
  ...["send", "listen", "history", "end", "channels", "health", "db", "keys", "audit"],
];

test("the help names every command, the exit codes and where settings come from", async () => {
  const { code, stdout } = await runHere(["--help"]);
  expect(code).toBe(0);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ +${command} `, "m"));
  expect(stdout).toMatch(/Exit codes:[\s\S]*130 /);
  expect(stdout).toContain("CLAW_MAX_MESSAGE_BYTES");
});

test("the help of every command has an example", async () => {
  for (const command of COMMANDS) {
    const { code, stdout, stderr } = await runHere([command, "--help"]);
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: "" });
    expect(stdout).toContain(`\nExamples:\n  $ claw-chat ${command}`);
  }
});

test("the help of each database command has an example", async () => {
  for (const command of ["verify", "backup", "restore", "prune", "declare-lost"]) {
    const { code, stdout } = await runHere(["db", command, "--help"]);
    expect({ command, code }).toEqual({ command, code: 0 });
    expect(stdout).toContain(`\nExamples:\n  $ claw-chat db ${command}`);
    expect(stdout).toContain(`Usage: claw-chat db ${command} [options]`);
  }
});

test("the help of each command about keys has an example", async () => {
  for (const command of ["create", "list", "revoke", "rotate"]) {
    const { code, stdout } = await runHere(["keys", command, "--help"]);
    expect({ command, code }).toEqual({ command, code: 0 });
    expect(stdout).toContain(`\nExamples:\n  $ claw-chat keys ${command}`);
  }
});

test("no command at all: the help, as an error", async () => {
  const { code, stdout, stderr } = await runHere([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("Usage: claw-chat");
});

test("the version is the package's", async () => {
  const { code, stdout } = await runHere(["--version"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a Node that cannot load the database is told from one that can", () => {
  expect(nodeProblem({ node: "20.20.0", napi: "9" })).toContain("this is Node 20.20.0");
  expect(nodeProblem({ node: "22.13.1", napi: "9" })).toContain("22.14");
  expect(nodeProblem({ node: "22.14.0", napi: "10" })).toBeUndefined();
  expect(nodeProblem({ node: "24.1.0", napi: "10" })).toBeUndefined();
});

test("a Node without the HTTP/2 fixes is advised against", () => {
  expect(nodeAdvice({ node: "22.23.1" })).toContain("22.23.2");
  expect(nodeAdvice({ node: "23.11.0" })).toContain("22.23.2");
  expect(nodeAdvice({ node: "22.23.2" })).toBeUndefined();
  expect(nodeAdvice({ node: "24.18.0" })).toContain("24.18.1");
  expect(nodeAdvice({ node: "24.18.1" })).toBeUndefined();
  expect(nodeAdvice({ node: "25.9.0" })).toContain("24.18.1");
  expect(nodeAdvice({ node: "26.0.0" })).toBeUndefined();
});

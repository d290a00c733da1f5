import { expect, test } from "vitest";
import { packageOf, read, resolveRelative, sourceFiles, specifiersIn } from "./sources.js";

/** Which folders of src/ a folder may import from; ARCHITECTURE.md shows the same arrows. */
const ALLOWED: Record<string, readonly string[]> = {
  protocol: ["protocol"],
  hub: ["hub", "protocol"],
  auth: ["auth", "hub", "protocol"],
  store: ["store", "hub", "protocol"],
  server: ["server", "auth", "hub", "protocol"],
  client: ["client", "protocol"],
  cli: ["cli", "client", "server", "store", "auth", "hub", "protocol"],
};

/** The one file that may name the generated code. */
const DOOR = "src/protocol/wire.ts";

/** What is wrong with an import, or nothing. */
function wrongWith(file: string, specifier: string): string | undefined {
  if (packageOf(specifier) === "claw-chat-hub") return `${file} imports its own package`;
  if (!specifier.startsWith(".")) return undefined;
  if (!/\.js(?:on)?$/.test(specifier)) return `${file}: ${specifier} does not end in .js`;
  const target = resolveRelative(file, specifier);
  if (target.startsWith("gen/")) {
    return file === DOOR ? undefined : `${file} imports ${target}; only ${DOOR} may`;
  }
  const [, from = ""] = file.split("/");
  const [top, to = ""] = target.split("/");
  if (top === "src" && ALLOWED[from]?.includes(to)) return undefined;
  return `${file} imports ${target}; src/${from} may import ${ALLOWED[from]?.join(", ")} only`;
}

test.each(Object.keys(ALLOWED))("src/%s imports only what its place allows", (folder) => {
  const files = sourceFiles(`src/${folder}`);
  const imports = files.flatMap((file) =>
    specifiersIn(read(file)).map((specifier) => ({ file, specifier })),
  );
  const wrong = imports.flatMap(({ file, specifier }) => wrongWith(file, specifier) ?? []);
  expect(files.length, `files looked at in src/${folder}`).toBeGreaterThan(0);
  expect(imports.length, `imports looked at in src/${folder}`).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});

test("conformance/hub judges a hub from outside: it loads nothing of src/ and no generated code", () => {
  const files = sourceFiles("conformance/hub");
  const targets = files.flatMap((file) =>
    specifiersIn(read(file))
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => resolveRelative(file, specifier)),
  );
  expect(targets.length, "imports looked at").toBeGreaterThan(0);
  expect(targets.filter((target) => /^(?:src|gen|dist)\//.test(target))).toEqual([]);
});

test("every source file lies in one of the folders the table names", () => {
  const elsewhere = sourceFiles("src").filter((file) => {
    const [, folder, name] = file.split("/");
    return name === undefined || ALLOWED[folder ?? ""] === undefined;
  });
  expect(elsewhere).toEqual([]);
});

test.each([
  ["src/hub/a.ts", 'import { x } from "../server/b.js";'],
  ["src/hub/a.ts", 'import type { X } from "../store/sqlite/open.js";'],
  ["src/client/a.ts", 'export { x } from "../hub/channel.js";'],
  ["src/client/a.ts", 'const x = await import("../server/hub.js");'],
  ["src/server/a.ts", 'import "../store/sqlite/open.js";'],
  ["src/hub/a.ts", 'import {\n  x,\n} from "../../gen/claw/chat/v1/chat_hub.js";'],
  ["src/hub/a.ts", 'import { x } from "./b";'],
  ["src/store/sqlite/a.ts", 'import { x } from "../../../test/b.js";'],
  ["src/auth/a.ts", 'import { x } from "../server/b.js";'],
  ["src/client/a.ts", 'import { x } from "../auth/api-key.js";'],
  ["src/cli/a.ts", 'import { x } from "claw-chat-hub/server";'],
])("a forbidden import is found: %s, %s", (file, text) => {
  expect(specifiersIn(text).flatMap((found) => wrongWith(file, found) ?? [])).toHaveLength(1);
});

test.each([
  ["src/protocol/wire.ts", 'export { X } from "../../gen/claw/chat/v1/chat_hub.js";'],
  ["src/store/sqlite/a.ts", 'import { x } from "../../hub/store.js";'],
  ["src/cli/a.ts", 'import { x } from "../server/hub.js";'],
  ["src/hub/a.ts", ' * as in `import { x } from "../server/b.js"`'],
])("an allowed import is not: %s, %s", (file, text) => {
  expect(specifiersIn(text).flatMap((found) => wrongWith(file, found) ?? [])).toEqual([]);
});

import { basename } from "node:path";
import { expect, test } from "vitest";
import { read, repositoryFiles, sourceFiles } from "./sources.js";

/** Source lines of one file at most; a file that needs more has two jobs. */
const MAX_LINES = 300;

test(`no file in src/ is over ${MAX_LINES} lines`, () => {
  const files = sourceFiles("src");
  const long = files.filter((file) => read(file).split("\n").length - 1 > MAX_LINES);
  expect(files.length, "files looked at").toBeGreaterThan(0);
  expect(long).toEqual([]);
});

/** A name of lower-case words with hyphens between them, such as `chat-hub.test.ts`. */
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|d|config))?\.ts$/;
const VAGUE = /(?:^|-)(?:manager|helpers?|utils?|impl|base)[-.]/;

test("TypeScript files have kebab-case names that say what they do", () => {
  const files = ["src", "test", "scripts", "examples", "bench", "conformance"].flatMap(sourceFiles);
  const odd = files.filter(
    (file) => !KEBAB_CASE.test(basename(file)) || VAGUE.test(basename(file)),
  );
  expect(files.length, "files looked at").toBeGreaterThan(0);
  expect(odd).toEqual([]);
});

test.each(["chatHub.ts", "Chat.ts", "chat_hub.ts", "string-utils.ts", "session-manager.test.ts"])(
  "a name that does not is found: %s",
  (name) => {
    expect(KEBAB_CASE.test(name) && !VAGUE.test(name)).toBe(false);
  },
);

/** Absolute paths of somebody's machine, where a path begins (not inside a URL or a longer path). */
const MACHINE_PATH = /(?<![\w.:/~}$-])\/(?:home|Users|root|work|tmp)\/[\w.-]+|\b[A-Z]:\\Users\\/;
/** Hosts of package registries: a lockfile or a text that names one ties the build to it. */
const REGISTRY_HOSTS = [
  ["registry", "npmjs", "org"],
  ["registry", "npmmirror", "com"],
  ["registry", "yarnpkg", "com"],
  ["npm", "pkg", "github", "com"],
  ["proxy", "golang", "org"],
  ["buf", "build/gen/npm"],
  ["static", "crates", "io"],
  ["files", "pythonhosted", "org"],
].map((labels) => labels.join("."));

/** What a line gives away about the machine it was written on, or nothing. */
function foreignIn(line: string): string | undefined {
  return MACHINE_PATH.exec(line)?.[0] ?? REGISTRY_HOSTS.find((host) => line.includes(host));
}

test("no file names a path of a machine or the host of a registry", () => {
  const files = repositoryFiles();
  const found = files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) => {
        const foreign = foreignIn(line);
        return foreign === undefined ? [] : [`${file}:${index + 1}: ${foreign}`];
      }),
  );
  expect(files.length, "files looked at").toBeGreaterThan(0);
  expect(found).toEqual([]);
});

test.each<[string, string]>([
  ["a home folder", ["see ", "home", "ann", "notes.md"].join("/")],
  ["a temp folder", `--db "${["", "tmp", "chat.db"].join("/")}"`],
  ["a folder of Windows", ["C:", "Users", "ann"].join("\\")],
  ...REGISTRY_HOSTS.map((host) => [host, `https://${host}/x`] satisfies [string, string]),
])("such a line is found: %s", (_what, line) => {
  expect(foreignIn(line)).toBeDefined();
});

test.each(["https://example.com/home/page", "src/work/file.ts", "/v1/messages", "`~/work/x`"])(
  "an innocent line is not: %s",
  (line) => {
    expect(foreignIn(line)).toBeUndefined();
  },
);

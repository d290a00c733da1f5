import { expect, test } from "vitest";
import { read } from "./sources.js";

const manifest = JSON.parse(read("package.json"));
const dependencies = Object.entries<string>({
  ...manifest.dependencies,
  ...manifest.devDependencies,
});

/** A version and nothing else: no range, no tag, no URL. */
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

test("every dependency is pinned to one version", () => {
  expect(dependencies.length, "dependencies looked at").toBeGreaterThan(0);
  expect(dependencies.filter(([, version]) => !EXACT.test(version))).toEqual([]);
});

test.each(["^1.2.3", "~1.2.3", "1.2", "*", "latest", ">=1.0.0"])(
  "a version that is not one is found: %s",
  (version) => {
    expect(version).not.toMatch(EXACT);
  },
);

/** The packages that a row of the table gives a reason for: `| \`name\` | reason |`. */
const JUSTIFIED = [
  ...read("docs/adr/0002-dependencies.md").matchAll(/^\| `([^`]+)` \|[^|]*[a-z][^|]*\|/gm),
].map((match) => match[1]);

test("every dependency has its reason in docs/adr/0002-dependencies.md, and no other has", () => {
  expect(JUSTIFIED.toSorted()).toEqual(dependencies.map(([name]) => name).toSorted());
});

test("the lockfile names no place to download from", () => {
  const lock = JSON.parse(read("package-lock.json"));
  const packages = Object.entries<{ resolved?: string }>(lock.packages);
  expect(packages.length, "packages looked at").toBeGreaterThan(dependencies.length);
  expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

test("the lockfile holds the packages of every platform, without which npm ci refuses it", () => {
  const lock = JSON.parse(read("package-lock.json"));
  const packages = Object.entries<{ optionalDependencies?: Record<string, string> }>(lock.packages);
  const optional = packages.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ path, name })),
  );
  const missing = optional.filter(
    ({ path, name }) =>
      lock.packages[`node_modules/${name}`] === undefined &&
      lock.packages[`${path}/node_modules/${name}`] === undefined,
  );
  expect(optional.length, "optional packages looked at").toBeGreaterThan(0);
  expect(missing).toEqual([]);
});

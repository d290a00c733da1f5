import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { packageOf, read, resolveRelative, root, specifiersIn } from "./sources.js";

interface Reached {
  /** Files of this repository. */
  files: string[];
  /** Folders of the packages behind them, dependencies of dependencies included. */
  packages: string[];
}

/** Everything that is loaded when a file is: sources, packages, and what those depend on. */
function reachedFrom(entry: string): Reached {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visitFile = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of specifiersIn(read(file))) {
      if (specifier.startsWith(".")) visitFile(resolveRelative(file, specifier));
      const name = packageOf(specifier);
      if (name !== undefined) visitPackage(name, root);
    }
  };
  const visitPackage = (name: string, from: string) => {
    const folder = installedFolder(name, from);
    if (folder === undefined || packages.has(folder)) return;
    packages.add(folder);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const needed = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const dependency of Object.keys(needed)) visitPackage(dependency, folder);
  };
  visitFile(entry);
  return { files: [...files], packages: [...packages] };
}

/** Where Node would find a package: in the nearest node_modules on the way up. */
function installedFolder(name: string, from: string): string | undefined {
  const folder = join(from, "node_modules", name);
  if (existsSync(join(folder, "package.json"))) return folder;
  return dirname(from) === from ? undefined : installedFolder(name, dirname(from));
}

/** Whether a package brings code that is compiled for one machine. */
function isNative(folder: string): boolean {
  return globSync(["binding.gyp", "**/*.node"], { cwd: folder }).length > 0;
}

test.each(["src/client/index.ts", "src/protocol/wire.ts"])("%s loads no native module", (entry) => {
  const { files, packages } = reachedFrom(entry);
  expect(files.length, "files looked at").toBeGreaterThan(1);
  expect(packages.length, "packages looked at").toBeGreaterThan(0);
  expect(packages.filter(isNative)).toEqual([]);
});

test("the native module behind the embedded store is found", () => {
  const native = reachedFrom("src/store/sqlite/open.ts").packages.filter(isNative);
  expect(native).toEqual([join(root, "node_modules/better-sqlite3")]);
});

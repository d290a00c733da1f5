import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** The repository's folder. */
export const root = join(import.meta.dirname, "../..");

/**
 * Every file that is committed or about to be: paths from the repository's
 * folder, with forward slashes. Throws where there is no git repository.
 */
export function repositoryFiles(): string[] {
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root, encoding: "utf8" },
  );
  return listed.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
}

/** The TypeScript files below a folder, `src` for example. */
export function sourceFiles(folder: string): string[] {
  return repositoryFiles().filter((file) => file.startsWith(`${folder}/`) && file.endsWith(".ts"));
}

/** The text of a file of the repository. */
export function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** What a module's text imports, exports from, or loads, in any of the ways there are. */
export function specifiersIn(text: string): string[] {
  const code = text.replace(/^\s*(?:\*|\/\*|\/\/).*$/gm, "");
  const loads = /\b(?:from|import|require)\s*\(?\s*["'`]([^"'`]+)["'`]/g;
  return [...code.matchAll(loads)].map((match) => match[1] ?? "");
}

/** Where a relative import of a file leads: the path of the TypeScript source behind it. */
export function resolveRelative(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts");
}

/** The package a specifier names: `@grpc/grpc-js` for `@grpc/grpc-js/build/x.js`; none for a path or Node's own. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

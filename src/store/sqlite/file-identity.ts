import { statSync } from "node:fs";

/**
 * Which file has a path, and which its log has, in a word that can be compared: of the file system,
 * so that a file which was moved there is another one.
 * @throws Error where one of them is not there
 */
export function identityOf(path: string): string {
  const files = [path, `${path}-wal`].map((name) => statSync(name, { bigint: true }));
  return files.map(({ dev, ino }) => `${dev}:${ino}`).join(" ");
}

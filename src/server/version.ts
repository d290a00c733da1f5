import { readFileSync } from "node:fs";
import { packageFile } from "./package-files.js";

/** The version of this package, such as 1.2.3. */
export const HUB_VERSION: string = readVersion();

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile("package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) {
    return String(manifest.version);
  }
  throw new Error("package.json has no version");
}

import { execFileSync, spawn } from "node:child_process";

/** What an outside program printed, and how it ended. */
export interface ToolResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program with this on its standard input, to its end. */
export function runTool(command: string, args: string[], input = ""): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** grpcurl is a Go program that npm cannot bring; where it is missing, its tests say so. */
export const SKIP_GRPCURL = isToBeSkipped("grpcurl", "-version");
/** Makes the certificates of the TLS tests. */
export const SKIP_OPENSSL = isToBeSkipped("openssl", "version");

/** On a continuous-integration machine nothing is skipped: a missing tool fails there. */
function isToBeSkipped(command: string, versionArgument: string): boolean {
  return process.env.CI === undefined && !isInstalled(command, versionArgument);
}

function isInstalled(command: string, versionArgument: string): boolean {
  try {
    execFileSync(command, [versionArgument], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

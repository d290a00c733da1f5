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
const HAS_GRPCURL = isInstalled("grpcurl");
/** On a continuous-integration machine nothing is skipped: a missing tool fails there. */
export const SKIP_GRPCURL = !HAS_GRPCURL && process.env.CI === undefined;

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

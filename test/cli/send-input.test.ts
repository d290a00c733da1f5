import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MAX_TRANSPORT_BYTES } from "../../src/protocol/limits.js";

const BIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

test("M5: input that no message can hold is refused before its end is reached", async () => {
  const words = ["send", "--agent", "a", "--to", "b", "--hub", "127.0.0.1:1", "-"];
  const child = spawn(process.execPath, [BIN, ...words], { stdio: "pipe" });
  try {
    // Never ended: whoever reads to the end waits for ever.
    child.stdin.on("error", () => {}).write(Buffer.alloc(MAX_TRANSPORT_BYTES + 1, "x"));
    const said = text(child.stderr);
    const [code] = await once(child, "close");
    expect(code).toBe(2);
    expect(await said).toMatch(/^claw-chat: the input is longer than 4194304 bytes, .*\n$/);
  } finally {
    child.kill("SIGKILL");
  }
});

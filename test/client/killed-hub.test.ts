import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { endCli, startServe, testFolder } from "../support/cli.js";
import { collect, connectAgent, disconnectAgents, newAgent } from "./agents.js";

afterEach(async () => {
  await disconnectAgents();
  await endCli();
});

test("M1 M2 D3: a hub killed under load loses nothing it gave a receipt for; messages() goes on", {
  timeout: 120_000,
}, async () => {
  const db = join(testFolder(), "hub.db");
  let hub = await startServe(["--db", db]);
  const { address } = hub;
  const handled = collect<string>();
  const listener = newAgent(`grpc://${address}`, "b");
  const messages = listener.messages();
  await listener.connect();
  const loop = (async () => {
    for await (const message of messages) handled.add(message.content);
  })();
  const sender = await connectAgent(`grpc://${address}`, "a", { timeoutMs: 100_000 });

  const COUNT = 1_500;
  const receipts = collect<{ seq: number; content: string }>();
  const sent = Array.from({ length: COUNT }, async (_, index) => {
    const content = String(index);
    const { seq } = await sender.sendMessage({ targetAgent: "b", content });
    receipts.add({ seq, content });
  });
  for (const progress of [100, 400, 800]) {
    await receipts.reached(progress);
    hub.child.kill("SIGKILL");
    await hub.result;
    hub = await startServe(["--listen", address, "--db", db]);
  }
  await Promise.all(sent);
  await handled.reached(COUNT);
  expect(handled.items).toEqual(Array.from({ length: COUNT }, (_, index) => String(index)));

  await listener.disconnect();
  await loop;
  await disconnectAgents();
  hub.child.kill("SIGTERM");
  await hub.result;
  // Read by other code than the hub's: every receipt names an entry, and every entry is there once.
  const database = new DatabaseSync(db, { readOnly: true });
  const rows = database.prepare("SELECT seq FROM entries ORDER BY seq").all();
  database.close();
  expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: COUNT }, (_, n) => n + 1));
  expect(receipts.items.map((receipt) => receipt.seq).sort((a, b) => a - b)).toEqual(
    rows.map((row) => row.seq),
  );
});

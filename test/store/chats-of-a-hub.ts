import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { activeChat, register, request, say } from "../server/chat.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { aFolder } from "./a-folder.js";

/** The database of a hub that is stopped, with chats in every state. */
export interface ChatsOfAHub {
  path: string;
  /** Channels by what became of them. */
  active: string;
  ended: string;
  rejected: string;
  pending: string;
  direct: string;
}

/** Makes such a database once for a file's tests, and a copy of it for each. */
export function chatsOfAHub(): ChatsOfAHub {
  const made: ChatsOfAHub = {
    ...{ path: "", active: "", ended: "", rejected: "", pending: "", direct: "" },
  };
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
    Object.assign(made, await converse(hub));
    await closeAgents();
    await hub.halt();
  });
  afterAll(() => hub.stop());
  beforeEach(() => {
    made.path = join(aFolder(), "hub.db");
    copyFileSync(hub.dbPath, made.path);
  });
  return made;
}

async function converse(hub: TestHub): Promise<Omit<ChatsOfAHub, "path">> {
  const ada = openAgent(hub.address, "ada", "manual");
  const bob = openAgent(hub.address, "bob", "manual");
  await register(hub.address, "ada", "weather");
  const active = await activeChat(bob, ada);
  await say(bob, active, "one");
  const { seq } = await say(ada, active, "two");
  bob.ack(active, seq);
  const ended = await activeChat(bob, ada);
  for (let count = 0; count < 20; count += 1) await say(bob, ended, "x".repeat(1000));
  const end = await bob.store({ $case: "chatEnd", value: { channelId: ended } });
  for (const agent of [ada, bob]) {
    agent.ack(ended, end.seq);
    await agent.settled();
  }
  const { channelId: rejected } = await request(bob, "weather");
  await ada.store({ $case: "chatReject", value: { channelId: rejected, reason: "busy" } });
  const { channelId: pending } = await request(bob, "weather");
  const { channelId: direct } = await bob.store({
    $case: "chatMessage",
    value: { targetAgent: "carol", messageId: "key", content: "hi" },
  });
  await bob.settled();
  return { active, ended, rejected, pending, direct };
}

import { afterEach, beforeEach, expect, test } from "vitest";
import { ChatHistoryPage } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import { ANY_SERVICE, activeChat, EMPTY_SERVICE, say } from "./chat.js";

const MIB = 1024 * 1024;
let hub: TestHub;
let consumer: RawAgent;
let channelId: string;
beforeEach(async () => {
  hub = await startTestHub();
  const provider = openAgent(hub.address, "weather", "manual");
  consumer = openAgent(hub.address, "alice", "manual");
  channelId = await activeChat(consumer, provider);
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

type Range = { limit?: number; beforeSeq?: bigint; afterSeq?: bigint };

async function history(range: Range = {}): Promise<ChatHistoryPage> {
  const answer = await consumer.ask({ $case: "chatHistory", value: { channelId, ...range } });
  if (answer.frame?.$case !== "chatHistory") throw new Error("no page");
  return answer.frame.value;
}

function contents(page: ChatHistoryPage): string[] {
  return page.messages.map((message) => message.content);
}

test("C6 M3: pages go back from the newest, forth from a seq, and say whether there is more", async () => {
  for (let index = 1; index <= 10; index += 1) await say(consumer, channelId, `${index}`);

  const newest = await history({ limit: 4 });
  expect(contents(newest)).toEqual(["7", "8", "9", "10"]);
  expect(newest.hasMore).toBe(true);

  const before = newest.messages[0]?.seq ?? 0n;
  const older = await history({ limit: 6, beforeSeq: before });
  expect(contents(older)).toEqual(["1", "2", "3", "4", "5", "6"]);
  expect(older.hasMore).toBe(false);

  const first = await history({ limit: 3, afterSeq: 1n });
  expect(contents(first)).toEqual(["1", "2", "3"]);
  expect(first.hasMore).toBe(true);
  const between = await history({ afterSeq: 4n, beforeSeq: 8n });
  expect(contents(between)).toEqual(["3", "4", "5"]);
  expect(between.hasMore).toBe(false);

  expect((await history({ afterSeq: 1n << 63n })).messages).toEqual([]);
  expect((await history({ limit: 4_000_000_000 })).messages).toHaveLength(10);
});

test("M7: a page stops before 2 MiB, and paging on still gets everything", async () => {
  const large = "x".repeat(900 * 1024);
  for (let index = 0; index < 5; index += 1) await say(consumer, channelId, `${index}${large}`);
  const seen: string[] = [];
  let afterSeq = 1n;
  for (;;) {
    const page = await history({ afterSeq });
    expect(ChatHistoryPage.encode(page).finish().length).toBeLessThan(2 * MIB);
    seen.push(...contents(page).map((content) => content.slice(0, 1)));
    if (!page.hasMore) break;
    afterSeq = page.messages.at(-1)?.seq ?? 0n;
  }
  expect(seen).toEqual(["0", "1", "2", "3", "4"]);
});

test("M7: a page of services stops before 2 MiB, and paging on still gets everything", async () => {
  const description = "x".repeat(8 * 1024);
  for (let index = 0; index < 300; index += 1) {
    const service = { ...EMPTY_SERVICE, serviceId: `svc-${1000 + index}`, description };
    await call(hub.address, "weather", "registerService", { service });
  }
  const ids: string[] = [];
  let pageToken = "";
  let pages = 0;
  do {
    const asked = { ...ANY_SERVICE, pageSize: 1000, pageToken };
    const page = await call(hub.address, "alice", "listServices", asked);
    ids.push(...page.services.map((service) => service.serviceId));
    pageToken = page.nextPageToken;
    pages += 1;
  } while (pageToken !== "");
  expect(pages).toBe(2);
  expect(ids).toEqual(Array.from({ length: 300 }, (_, index) => `svc-${1000 + index}`));
});

import { expect, test } from "vitest";
import type { Channel } from "../../src/hub/channel.js";
import type { ChannelFilter, Store, Transaction } from "../../src/hub/store.js";
import {
  ACTIVE,
  aChannel,
  anEntry,
  ENDED,
  OPEN,
  putAll,
  REJECTED,
  REQUESTED,
  say,
} from "./sample.js";

/** The questions about channels: which is meant, which are pending, where somebody is behind. */
export function channelQuestionContract(store: () => Store): void {
  const ask = <T>(question: (tx: Transaction) => Promise<T>) => store().transaction(question);
  const id = (channel: Channel | undefined) => channel?.channelId;
  const ids = (channels: Channel[]) => channels.map((channel) => channel.channelId);

  test("M4: the newest channel is the one first stored last, whatever happened since", async () => {
    await putAll(
      store(),
      aChannel("c1"),
      aChannel("c2", { createdAtMs: 1 }),
      aChannel("open", { state: OPEN, consumerId: "" }),
    );
    await say(store(), "c1");
    await putAll(store(), aChannel("c1", { lastSeq: 1, reason: "changed" }));
    const of = { serviceId: "weather" };
    expect(id(await ask((tx) => tx.newestChannel({ ...of, agentId: "bob" })))).toBe("c2");
    expect(id(await ask((tx) => tx.newestChannel({ ...of, agentId: "ada" })))).toBe("c2");
    expect(id(await ask((tx) => tx.newestChannel({ ...of, agentId: "ada", state: OPEN })))).toBe(
      "open",
    );
  });

  test("S2: the newest channel keeps to its agent, service, provider, peer and state", async () => {
    await putAll(
      store(),
      aChannel("old", { providerId: "eve" }),
      aChannel("ended", { state: ENDED }),
      aChannel("mine"),
      aChannel("carol's", { consumerId: "carol" }),
      aChannel("rejected", { state: REJECTED }),
      aChannel("bob provides", { providerId: "bob", consumerId: "dan" }),
      aChannel("music", { serviceId: "music" }),
      aChannel("others", { providerId: "x", consumerId: "y" }),
    );
    const newest = async (of: Partial<Parameters<Transaction["newestChannel"]>[0]>) =>
      id(await ask((tx) => tx.newestChannel({ agentId: "bob", serviceId: "weather", ...of })));
    expect(await newest({})).toBe("bob provides");
    expect(await newest({ providerId: "ada" })).toBe("rejected");
    expect(await newest({ providerId: "ada", state: ACTIVE })).toBe("mine");
    expect(await newest({ providerId: "eve" })).toBe("old");
    expect(await newest({ providerId: "nobody" })).toBeUndefined();
    expect(await newest({ peerId: "ada", state: ENDED })).toBe("ended");
    expect(await newest({ peerId: "dan" })).toBe("bob provides");
    expect(await newest({ peerId: "dan", providerId: "bob" })).toBe("bob provides");
    expect(await newest({ peerId: "dan", providerId: "ada" })).toBeUndefined();
    expect(await newest({ peerId: "carol" })).toBeUndefined();
    expect(await newest({ agentId: "ada", peerId: "carol" })).toBe("carol's");
    expect(await newest({ agentId: "ada", providerId: "ada", state: ACTIVE })).toBe("carol's");
    expect(await newest({ state: REQUESTED })).toBeUndefined();
    expect(await newest({ serviceId: "music" })).toBe("music");
    expect(await newest({ agentId: "nobody" })).toBeUndefined();
  });

  test("M4: most recently used is the active channel that got an entry last", async () => {
    await putAll(
      store(),
      aChannel("c1"),
      aChannel("c2", { providerId: "bob", consumerId: "ada", serviceId: "" }),
      aChannel("c3"),
      aChannel("carol's", { consumerId: "carol" }),
    );
    const used = () => ask(async (tx) => id(await tx.mostRecentlyUsed("ada", "bob")));
    for (const channelId of ["c3", "c1", "c2", "c1", "c3"]) {
      await say(store(), channelId);
      await say(store(), "carol's");
      expect(await used()).toBe(channelId);
    }
    await say(store(), "c3", "chatEnd", { state: ENDED });
    expect(await used()).toBe("c1");
    expect(await ask((tx) => tx.mostRecentlyUsed("bob", "carol"))).toBeUndefined();
  });

  test("M4: a transaction sees its own entries as the most recent", async () => {
    await putAll(store(), aChannel("c1"), aChannel("c2"));
    await ask(async (tx) => {
      await tx.putChannel(aChannel("c2", { lastSeq: 1 }));
      await tx.append([anEntry("c2", 1)]);
      expect(id(await tx.mostRecentlyUsed("ada", "bob"))).toBe("c2");
      await tx.putChannel(aChannel("c1", { lastSeq: 1 }));
      await tx.append([anEntry("c1", 1)]);
      expect(id(await tx.mostRecentlyUsed("ada", "bob"))).toBe("c1");
    });
  });

  test("C3: pending requests are those still unanswered, the oldest request first", async () => {
    const open = { state: OPEN };
    await putAll(
      store(),
      aChannel("c1", open),
      aChannel("c2", { ...open, serviceId: "" }),
      aChannel("c3", { ...open, consumerId: "carol" }),
      aChannel("eve's", { ...open, providerId: "eve" }),
    );
    for (const channelId of ["c3", "c2", "c1", "eve's"]) {
      await say(store(), channelId, "chatRequest", { state: REQUESTED });
    }
    const pending = async (of: Partial<Parameters<Transaction["pendingRequests"]>[0]>) =>
      ids(await ask((tx) => tx.pendingRequests({ providerId: "ada", limit: 9, ...of })));
    expect(await pending({})).toEqual(["c3", "c2", "c1"]);
    expect(await pending({ limit: 2 })).toEqual(["c3", "c2"]);
    expect(await pending({ limit: Number.MAX_SAFE_INTEGER })).toHaveLength(3);
    expect(await pending({ consumerId: "bob" })).toEqual(["c2", "c1"]);
    expect(await pending({ consumerId: "bob", limit: 1 })).toEqual(["c2"]);
    expect(await pending({ consumerId: "bob", serviceId: "weather" })).toEqual(["c1"]);
    expect(await pending({ serviceId: "weather" })).toEqual(["c3", "c1"]);
    expect(await pending({ serviceId: "" })).toHaveLength(3);
    expect(await ask((tx) => tx.countPending("bob"))).toBe(3);
    expect(await ask((tx) => tx.countPending("carol"))).toBe(1);
    expect(ids(await ask((tx) => tx.allPending()))).toHaveLength(4);

    await say(store(), "c2", "chatReject", { state: REJECTED });
    expect(await pending({ consumerId: "bob" })).toEqual(["c1"]);
    expect(await ask((tx) => tx.countPending("bob"))).toBe(2);
    expect(ids(await ask((tx) => tx.allPending()))).toEqual(["c3", "c1", "eve's"]);
  });

  test("C3: the newest answered channel is the one whose answer was stored last", async () => {
    await putAll(store(), aChannel("c1"), aChannel("c2"), aChannel("c3", { serviceId: "" }));
    const answered = async (serviceId?: string) =>
      id(await ask((tx) => tx.newestAnswered({ providerId: "ada", consumerId: "bob", serviceId })));
    await say(store(), "c1");
    expect(await answered()).toBeUndefined();
    await say(store(), "c2", "chatAccept");
    expect(await answered()).toBe("c2");
    await say(store(), "c1", "chatReject");
    await say(store(), "c2", "chatMessage");
    await say(store(), "c2", "chatEnd");
    expect(await answered()).toBe("c1");
    await say(store(), "c3", "chatAccept");
    expect(await answered()).toBe("c3");
    expect(await answered("")).toBe("c3");
    expect(await answered("weather")).toBe("c1");
    const turned = ask((tx) => tx.newestAnswered({ providerId: "bob", consumerId: "ada" }));
    expect(await turned).toBeUndefined();
  });

  test("C5: active chats are counted per provider and service", async () => {
    await putAll(
      store(),
      aChannel("c1"),
      aChannel("c2", { consumerId: "carol" }),
      aChannel("c3", { state: ENDED }),
      aChannel("c4", { state: REQUESTED }),
      aChannel("c5", { serviceId: "" }),
      aChannel("c6", { providerId: "eve" }),
    );
    expect(await ask((tx) => tx.countActive("ada", "weather"))).toBe(2);
    expect(await ask((tx) => tx.countActive("bob", "weather"))).toBe(0);
    await ask(async (tx) => {
      await tx.putChannel(aChannel("c1", { state: ENDED }));
      expect(await tx.countActive("ada", "weather")).toBe(1);
    });
  });

  test("C7: a listing pages through an agent's own channels, newest first", async () => {
    await putAll(
      store(),
      aChannel("c1"),
      aChannel("c2", { providerId: "bob", consumerId: "ada" }),
      aChannel("others", { providerId: "x", consumerId: "y" }),
      aChannel("c3"),
      aChannel("c4", { providerId: "bob", consumerId: "ada" }),
      aChannel("c5"),
    );
    const seen: string[][] = [];
    let before: string | undefined;
    // One more than there are pages, so that a listing without an end is noticed.
    for (let count = 0; count < 4 && (count === 0 || before !== undefined); count++) {
      const page = await ask((tx) => tx.listChannels("ada", {}, { before, limit: 2 }));
      seen.push(ids(page.channels));
      before = page.next;
      if (count === 0) await putAll(store(), aChannel("later"));
    }
    expect(seen).toEqual([["c5", "c4"], ["c3", "c2"], ["c1"]]);
    const all = await ask((tx) => tx.listChannels("x", {}, { limit: 1 }));
    expect(all).toMatchObject({ channels: [{ channelId: "others" }], next: undefined });
    const lost = await ask((tx) => tx.listChannels("ada", {}, { before: "no mark", limit: 9 }));
    expect(lost).toEqual({ channels: [], next: undefined });
  });

  test("a listing shows what fits its filter", async () => {
    await putAll(
      store(),
      aChannel("c1"),
      aChannel("c2", { consumerId: "carol", state: ENDED }),
      aChannel("c3", { providerId: "carol", consumerId: "ada", serviceId: "" }),
      aChannel("c4", { state: OPEN, consumerId: "" }),
    );
    const listed = async (filter: ChannelFilter) =>
      ids((await ask((tx) => tx.listChannels("ada", filter, { limit: 9 }))).channels);
    expect(await listed({})).toEqual(["c4", "c3", "c2", "c1"]);
    expect(await listed({ state: ACTIVE })).toEqual(["c3", "c1"]);
    expect(await listed({ peerId: "carol" })).toEqual(["c3", "c2"]);
    expect(await listed({ serviceId: "weather" })).toEqual(["c4", "c2", "c1"]);
    expect(await listed({ serviceId: "weather", peerId: "carol", state: ENDED })).toEqual(["c2"]);
    expect(await listed({ peerId: "nobody" })).toEqual([]);
  });

  test("D1: an agent is behind where its position is smaller than its due", async () => {
    await putAll(
      store(),
      aChannel("c1", { provider: { position: 1, due: 4 } }),
      aChannel("c2", {
        providerId: "bob",
        consumerId: "ada",
        consumer: { position: 0, due: 1 },
        provider: { position: 0, due: 0 },
      }),
      aChannel("c3", { provider: { position: 4, due: 4 }, consumer: { position: 0, due: 4 } }),
      aChannel("c4", { provider: { position: 2, due: 3 } }),
    );
    expect(await ask((tx) => tx.channelsBehind("ada"))).toEqual([
      { channelId: "c1", position: 1, due: 4 },
      { channelId: "c2", position: 0, due: 1 },
      { channelId: "c4", position: 2, due: 3 },
    ]);
    expect(await ask((tx) => tx.channelsBehind("bob"))).toEqual([
      { channelId: "c3", position: 0, due: 4 },
    ]);
    await ask(async (tx) => {
      await tx.putChannel(aChannel("c1", { provider: { position: 4, due: 4 } }));
      expect(await tx.channelsBehind("ada")).toHaveLength(2);
    });
    expect(await ask((tx) => tx.channelsBehind("nobody"))).toEqual([]);
  });

  test("an agent's unended channels are those it asked for that wait or are active", async () => {
    await putAll(
      store(),
      aChannel("active"),
      aChannel("requested", { state: REQUESTED }),
      aChannel("rejected", { state: REJECTED }),
      aChannel("ended", { state: ENDED }),
      aChannel("it provides", { providerId: "bob", consumerId: "ada" }),
    );
    expect(await ask((tx) => tx.countUnended("bob"))).toBe(2);
    expect(await ask((tx) => tx.countUnended("carol"))).toBe(0);
    // Open channels have no consumer, and are nobody's.
    await putAll(store(), aChannel("open", { state: OPEN, consumerId: "" }));
    expect(await ask((tx) => tx.countUnended("ada"))).toBe(1);
  });

  test("all channels are listed, the newest first, page by page and filtered", async () => {
    await putAll(
      store(),
      aChannel("c1"),
      aChannel("c2", { providerId: "eve", consumerId: "dan" }),
      aChannel("c3", { state: ENDED, serviceId: "music" }),
    );
    const list = async (filter: ChannelFilter, before?: string) => {
      const page = await ask((tx) => tx.listAllChannels(filter, { before, limit: 2 }));
      return [ids(page.channels), page.next];
    };
    expect(await list({})).toEqual([["c3", "c2"], "c2"]);
    expect(await list({}, "c2")).toEqual([["c1"], undefined]);
    expect(await list({ peerId: "dan" })).toEqual([["c2"], undefined]);
    expect(await list({ peerId: "ada", state: ENDED })).toEqual([["c3"], undefined]);
    expect(await list({ serviceId: "weather" })).toEqual([["c2", "c1"], undefined]);
  });
}

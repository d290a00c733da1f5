import { expect, test } from "vitest";
import type { Channel } from "../../src/hub/channel.js";
import type { Store, Transaction } from "../../src/hub/store.js";
import { aChannel, anEntry, ENDED, putAll, say } from "./sample.js";

/** Keeping, changing and removing channels. */
export function channelContract(store: () => Store): void {
  const ask = <T>(question: (tx: Transaction) => Promise<T>) => store().transaction(question);

  test("a channel is kept with all its fields, and changed in all of them", async () => {
    const first = aChannel("c1");
    await putAll(store(), first);
    expect(await ask((tx) => tx.channel("c1"))).toEqual(first);
    const second: Channel = {
      channelId: "c1",
      serviceId: "天气",
      providerId: "p/2",
      consumerId: "c:2",
      state: ENDED,
      createdAtMs: 2,
      lastSeq: 1,
      requestedAtMs: 4,
      timeoutMs: 0.25,
      answerSeq: 6,
      endSeq: 7,
      closedAtMs: 8,
      reason: 'it\'s "over"',
      rejectCode: 5,
      endCode: 3,
      provider: { position: 12, due: 13 },
      consumer: { position: 14, due: Number.MAX_SAFE_INTEGER },
    };
    await ask(async (tx) => {
      await tx.putChannel(second);
      await tx.append([anEntry("c1", 1)]);
      expect(await tx.channel("c1")).toEqual(second);
    });
    expect(await ask((tx) => tx.channel("c1"))).toEqual(second);
    expect(await ask((tx) => tx.channel("c2"))).toBeUndefined();
  });

  test("D2: a position alone moves without anything else", async () => {
    await putAll(store(), aChannel("c1"));
    const moved = aChannel("c1", { consumer: { position: 3, due: 5 } });
    await putAll(store(), moved);
    expect(await ask((tx) => tx.channel("c1"))).toEqual(moved);
  });

  test("S2: a channel without entries can be removed, and its name given again", async () => {
    await putAll(store(), aChannel("c1"), aChannel("c2"));
    await ask(async (tx) => {
      await tx.putChannel(aChannel("c1", { state: ENDED }));
      await tx.deleteChannel("c1");
      expect(await tx.channel("c1")).toBeUndefined();
      await tx.deleteChannel("never there");
    });
    const listed = await ask((tx) => tx.listChannels("ada", {}, { limit: 9 }));
    expect(listed).toMatchObject({ channels: [{ channelId: "c2" }] });
    await putAll(store(), aChannel("c1"));
    expect(await ask((tx) => tx.channel("c1"))).toEqual(aChannel("c1"));
  });

  test("S2: a channel that was changed and removed leaves the one stored after it alone", async () => {
    await putAll(store(), aChannel("c1"));
    const next = aChannel("c2", { providerId: "eve" });
    await ask(async (tx) => {
      await tx.putChannel(aChannel("c1", { reason: "changed" }));
      await tx.deleteChannel("c1");
      await tx.putChannel(next);
    });
    expect(await ask((tx) => tx.channel("c2"))).toEqual(next);
    expect(await ask((tx) => tx.channel("c1"))).toBeUndefined();
  });

  test("a channel that has entries is not removed", async () => {
    await putAll(store(), aChannel("c1"));
    await say(store(), "c1");
    await expect(ask((tx) => tx.deleteChannel("c1"))).rejects.toThrow();
    expect(await ask((tx) => tx.channel("c1"))).toBeDefined();
  });
}

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StorageError, type Store } from "../../src/hub/store.js";
import { channelQuestionContract } from "./contract-channel-questions.js";
import { channelContract } from "./contract-channels.js";
import { auditContract, credentialContract } from "./contract-credentials.js";
import { entryContract } from "./contract-entries.js";
import { aChannel, anEntry, aService, putAll, say } from "./sample.js";

/**
 * What every engine behind the Store interface must do, as tests.
 * @param open opens an empty database of its own at each call
 */
export function storeContract(engine: string, open: () => Promise<Store>): void {
  describe(engine, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    describe("transactions", () => transactionContract(() => store));
    describe("channels", () => channelContract(() => store));
    describe("questions about channels", () => channelQuestionContract(() => store));
    describe("entries", () => entryContract(() => store));
    describe("services", () => serviceContract(() => store));
    describe("credentials", () => credentialContract(() => store));
    describe("the audit log", () => auditContract(() => store));

    test("D7: two databases have two epochs", async () => {
      const other = await open();
      expect(store.epoch).not.toBe("");
      expect(other.epoch).not.toBe(store.epoch);
      await other.close();
    });
  });
}

function transactionContract(store: () => Store): void {
  test("a transaction gives back what its work returns", async () => {
    expect(await store().transaction(async () => "result")).toBe("result");
  });

  test("M1: a transaction whose work throws stores nothing and passes the same error on", async () => {
    const thrown = new Error("changed my mind");
    const attempt = store().transaction(async (tx) => {
      await tx.putChannel(aChannel("c1", { lastSeq: 1 }));
      await tx.append([anEntry("c1", 1, { key: "k" })]);
      await tx.putService(aService("weather"));
      expect(await tx.listChannels("ada", {}, { limit: 9 })).toMatchObject({
        channels: [{ channelId: "c1" }],
      });
      throw thrown;
    });
    await expect(attempt).rejects.toBe(thrown);
    await store().transaction(async (tx) => {
      expect(await tx.channel("c1")).toBeUndefined();
      expect(await tx.entry("c1", 1)).toBeUndefined();
      expect(await tx.entryByKey("ada", "chatMessage", "k")).toBeUndefined();
      expect(await tx.service("weather")).toBeUndefined();
    });
  });

  test("transactions started together run one after another, in that order", async () => {
    const steps: string[] = [];
    const run = (name: string) =>
      store().transaction(async (tx) => {
        steps.push(`${name} begins`);
        for (let turn = 0; turn < 5; turn++) await tx.channel("c1");
        await new Promise((resolve) => setImmediate(resolve));
        steps.push(`${name} ends`);
      });
    await Promise.all([run("a"), run("b")]);
    expect(steps).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  test("a transaction that fails does not stop the one behind it", async () => {
    const failing = store().transaction(() => Promise.reject(new Error("no")));
    const following = putAll(store(), aChannel("c1"));
    await expect(failing).rejects.toThrow("no");
    await following;
    expect(await store().transaction((tx) => tx.channel("c1"))).toEqual(aChannel("c1"));
  });

  test("after a failed operation nothing is stored, even when the work goes on", async () => {
    await putAll(store(), aChannel("c1"));
    const attempt = store().transaction(async (tx) => {
      await tx.putChannel(aChannel("c2"));
      await tx.append([anEntry("c1", 7)]).catch(() => undefined);
      await tx.putChannel(aChannel("c3")).catch(() => undefined);
    });
    await expect(attempt).rejects.toThrow(/seq 7/);
    await store().transaction(async (tx) => {
      expect(await tx.channel("c2")).toBeUndefined();
      expect(await tx.channel("c3")).toBeUndefined();
    });
  });

  test("an operation after its transaction is over is refused", async () => {
    const tx = await store().transaction(async (open) => open);
    await expect(tx.putChannel(aChannel("late"))).rejects.toThrow(/over/);
    expect(await store().transaction((next) => next.channel("late"))).toBeUndefined();
  });

  test("a transaction that only reads refuses each write with the error it was given", async () => {
    await putAll(store(), aChannel("c1"));
    const full = new StorageError("no room", { kind: "full" });
    const writes = ["putChannel", "deleteChannel", "append", "putService", "deleteService"];
    const seen = await store().transaction(async (tx) => {
      const refused = [
        tx.putChannel(aChannel("c1", { reason: "x" })),
        tx.deleteChannel("c1"),
        tx.append([anEntry("c1", 1)]),
        tx.putService(aService("weather")),
        tx.deleteService("weather"),
      ];
      const ends = await Promise.allSettled(refused);
      return { ends, channel: await tx.channel("c1") };
    }, full);
    expect(seen.ends).toEqual(writes.map(() => ({ status: "rejected", reason: full })));
    expect(seen.channel).toEqual(aChannel("c1"));
    const given = store().transaction((tx) => tx.putService(aService("weather")), full);
    await expect(given).rejects.toBe(full);
    expect(await store().transaction((tx) => tx.service("weather"))).toBeUndefined();
  });

  test("a channel that was read stays as it was, whatever is stored afterwards", async () => {
    await putAll(store(), aChannel("c1"));
    await store().transaction(async (tx) => {
      const before = await tx.channel("c1");
      const after = aChannel("c1", { lastSeq: 1, provider: { position: 1, due: 0 } });
      await tx.append([anEntry("c1", 1)], after);
      expect(before).toEqual(aChannel("c1"));
      expect(await tx.channel("c1")).toEqual(after);
    });
  });

  test("close waits for what was started, then refuses with a StorageError", async () => {
    const finished: string[] = [];
    await putAll(store(), aChannel("c1"));
    const running = say(store(), "c1").then(() => finished.push("transaction"));
    const closing = store()
      .close()
      .then(() => finished.push("close"));
    const late = store().transaction(async () => undefined);
    await expect(late).rejects.toBeInstanceOf(StorageError);
    await Promise.all([running, closing, store().close()]);
    expect(finished).toEqual(["transaction", "close"]);
  });
}

function serviceContract(store: () => Store): void {
  test("S2: a service is kept with all its fields, changed and removed", async () => {
    const full = aService("weather", {
      description: "Vorhersage, 天气 ☂",
      tags: ["a", 'quo"te'],
      metadata: new Map([
        ["__proto__", "x"],
        ["b", ""],
      ]),
      acceptPolicy: 2,
      maxActiveChats: 4_294_967_295,
      allowedConsumers: ["bob", "weather-*"],
    });
    await store().transaction((tx) => tx.putService(full));
    expect(await store().transaction((tx) => tx.service("weather"))).toEqual(full);
    const changed = { ...full, tags: [], openChannelId: "c9" };
    await store().transaction((tx) => tx.putService(changed));
    expect(await store().transaction((tx) => tx.service("weather"))).toEqual(changed);
    await store().transaction((tx) => tx.deleteService("weather"));
    expect(await store().transaction((tx) => tx.service("weather"))).toBeUndefined();
  });

  test("services are listed by id, after the one given, at most as many as asked", async () => {
    await store().transaction(async (tx) => {
      for (const id of ["b", "a.2", "Z", "a", "c"]) await tx.putService(aService(id));
    });
    const ids = async (after: string, limit: number) =>
      (await store().transaction((tx) => tx.services({ after, limit }))).map((s) => s.serviceId);
    expect(await ids("", 9)).toEqual(["Z", "a", "a.2", "b", "c"]);
    expect(await ids("a", 2)).toEqual(["a.2", "b"]);
    expect(await ids("c", 2)).toEqual([]);
  });

  test("the services of a provider are counted", async () => {
    await store().transaction(async (tx) => {
      for (const id of ["a", "b", "c"]) await tx.putService(aService(id));
      await tx.putService(aService("d", { providerId: "bob" }));
      expect(await tx.countServices("ada")).toBe(3);
      expect(await tx.countServices("carol")).toBe(0);
    });
  });
}

import { EventEmitter, once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Client, credentials, Server } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterEach, describe, expect, test, vi } from "vitest";
import { addressKey } from "../../src/protocol/address-key.js";
import { createConnections } from "../../src/server/connections.js";
import { openEdge } from "../../src/server/edge.js";
import { ListenError } from "../../src/server/hub.js";
import { listenOn } from "../../src/server/listener.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL } from "./chat.js";

const SILENT = pino({ level: "silent" });
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

let hub: TestHub | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await closeAgents();
  await hub?.stop();
  hub = undefined;
});

test.each([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["::FFFF:10.1.2.3", "10.1.2.3"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8:1::9", "2001:db8:1:0::/64"],
  ["2001:DB8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["64:ff9b::10.1.2.3", "64:ff9b:0:0::/64"],
])("connections of %s are counted as those of %s", (address, key) => {
  expect(addressKey(address)).toBe(key);
});

describe("counting connections", () => {
  let port = 0;
  function socketOf(remoteAddress: string): Socket & { destroyed: boolean } {
    const socket = new EventEmitter() as Socket & { destroyed: boolean };
    port += 1;
    return Object.assign(socket, {
      ...{ remoteAddress, remotePort: port, destroyed: false },
      destroy() {
        socket.destroyed = true;
        socket.emit("close");
        return socket;
      },
    });
  }
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress}:${remotePort}`;

  test("those beyond the limit of an address are let in for 5 s, 64 at a time", () => {
    vi.useFakeTimers();
    const connections = createConnections({ perAddress: 2, total: 0 }, SILENT);
    const within = [socketOf("10.0.0.1"), socketOf("10.0.0.1")];
    for (const socket of within) expect(connections.admit(socket)).toBe(true);
    const over = Array.from({ length: 64 }, () => socketOf("10.0.0.1"));
    for (const socket of over) expect(connections.admit(socket)).toBe(true);
    expect(connections.admit(socketOf("10.0.0.1"))).toBe(false);
    expect(within.map((socket) => connections.isOver(peerOf(socket)))).toEqual([false, false]);
    expect(over.every((socket) => connections.isOver(peerOf(socket)))).toBe(true);
    const other = socketOf("10.0.0.2");
    expect(connections.admit(other)).toBe(true);
    expect(connections.isOver(peerOf(other))).toBe(false);
    vi.advanceTimersByTime(5_000);
    expect(over.every(({ destroyed }) => destroyed)).toBe(true);
    expect([...within, other].some(({ destroyed }) => destroyed)).toBe(false);
    const late = socketOf("10.0.0.1");
    expect(connections.admit(late)).toBe(true);
    expect(connections.isOver(peerOf(late))).toBe(true);
    within[0]?.destroy();
    const next = socketOf("10.0.0.1");
    expect(connections.admit(next)).toBe(true);
    expect(connections.isOver(peerOf(next))).toBe(false);
  });

  test("the limit in all counts every address, and 0 is no limit", () => {
    const connections = createConnections({ perAddress: 0, total: 2 }, SILENT);
    const peers = ["10.0.0.1", "10.0.0.1", "10.0.0.2"].map((address) => {
      const socket = socketOf(address);
      expect(connections.admit(socket)).toBe(true);
      return peerOf(socket);
    });
    expect(peers.map(connections.isOver)).toEqual([false, false, true]);
    const unlimited = createConnections({ perAddress: 0, total: 0 }, SILENT);
    for (let count = 0; count < 5_000; count += 1) {
      const socket = socketOf("10.0.0.1");
      unlimited.admit(socket);
      expect(unlimited.isOver(peerOf(socket))).toBe(false);
    }
  });
});

test("M5: calls on a connection beyond the limit are refused, whatever they call", async () => {
  hub = await startTestHub({ maxConnectionsPerAddress: 2 });
  const { address } = hub;
  const first = openAgent(address, "first", "manual");
  const second = openAgent(address, "second", "manual");
  await first.next("sessionStarted");
  await second.next("sessionStarted");
  const refused = {
    code: 8,
    details: expect.stringMatching(/^TOO_MANY_CONNECTIONS: .{20}/),
  };
  const third = openAgent(address, "third", "manual");
  const status = await third.ended;
  expect(status).toMatchObject(refused);
  expect(status.metadata.get("claw-reason")).toEqual(["TOO_MANY_CONNECTIONS"]);
  await expect(call(address, "third", "listChannels", ANY_CHANNEL)).rejects.toMatchObject(refused);
  await expect(checkHealth(address)).rejects.toMatchObject(refused);
  await first.settled();
  await second.settled();
});

test("M5: a connection that closes makes room for another", async () => {
  hub = await startTestHub({ maxConnections: 1 });
  const { port } = addressOf(hub);
  const silent = connect(port, "127.0.0.1");
  await once(silent, "connect");
  await expect(call(hub.address, "a", "listChannels", ANY_CHANNEL)).rejects.toMatchObject({
    code: 8,
  });
  silent.destroy();
  await vi.waitFor(() => call(hub?.address ?? "", "a", "listChannels", ANY_CHANNEL));
});

test("a connection that does not begin to speak HTTP/2 in time is closed, and no other", async () => {
  const server = new Server();
  const edge = await openEdge({
    ...{ server, log: SILENT, greetingMs: 100, tls: undefined },
    address: { host: "127.0.0.1", port: 0 },
    connections: createConnections({ perAddress: 0, total: 0 }, SILENT),
  });
  const sockets = ["", "P", PREFACE.slice(0, -1), PREFACE].map((bytes) => {
    const socket = connect(edge.port, "127.0.0.1");
    socket.resume().write(bytes);
    return socket;
  });
  const spoke = sockets.pop();
  const wrong = connect(edge.port, "127.0.0.1");
  wrong.resume().write("GET / HTTP/1.1\r\n\r\n");
  await Promise.all([...sockets, wrong].map((socket) => once(socket, "close")));
  expect(spoke?.destroyed).toBe(false);
  edge.close();
  server.forceShutdown();
  edge.cutAll();
});

test("L2: a stopping hub also cuts connections that never said a word", async () => {
  hub = await startTestHub();
  const silent = connect(addressOf(hub).port, "127.0.0.1");
  await once(silent, "connect");
  const closed = once(silent.resume(), "close");
  await hub.halt();
  await closed;
});

describe("listening", () => {
  test("on localhost means every address that it has, with one port", async () => {
    const accepted = Promise.withResolvers<void>();
    const listener = await listenOn({ host: "localhost", port: 0 }, (socket) => {
      socket.destroy();
      accepted.resolve();
    });
    connect(listener.port, "127.0.0.1").on("error", () => {});
    await accepted.promise;
    listener.close();
  });

  test("on an address that is taken, also one of several, is a ListenError", async () => {
    const taken = createServer();
    taken.listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    for (const host of ["127.0.0.1", "localhost"]) {
      const listening = listenOn({ host, port }, () => {});
      await expect(listening).rejects.toThrow(ListenError);
      await expect(listening).rejects.toThrow("EADDRINUSE");
    }
    taken.close();
  });

  test("on a host that is nowhere is a ListenError", async () => {
    for (const host of ["192.0.2.1", "no-such-host.invalid"]) {
      await expect(listenOn({ host, port: 0 }, () => {})).rejects.toThrow(ListenError);
    }
  });
});

function checkHealth(address: string): Promise<void> {
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const bytes = (value: Buffer) => value;
  return new Promise<void>((resolve, reject) => {
    const path = "/grpc.health.v1.Health/Check";
    client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error) =>
      error === null ? resolve() : reject(error),
    );
  }).finally(() => client.close());
}

function addressOf({ address }: TestHub): { port: number } {
  return { port: Number(address.split(":")[1]) };
}

import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Random } from "../support/random.ts";
import { FLOODS } from "./floods.ts";
import * as http2 from "./frames.ts";
import { type HostileSocket, hostileSocket } from "./hostile-socket.ts";
import { mutated, noise } from "./mutate.ts";
import { hostileRequest } from "./requests.ts";

/** What was done to a hub so far. */
export interface Counts {
  connections: number;
  calls: number;
  frames: number;
}

type Attack = (address: string, random: Random, counts: Counts) => Promise<void>;

/** How long what may never be answered is waited for. */
const PATIENCE_MS = 500;
/** Floods are run by themselves as well; here they are one thing among others. */
const FLOOD_SHARE = 0.02;

/** One of everything that is done to a hub, by chance. */
export function attack(address: string, random: Random, counts: Counts): Promise<void> {
  return random.pick(ATTACKS)(address, random, counts);
}

const rawBytes: Attack = (address, random, counts) =>
  onSocket(address, counts, async (socket) => {
    const preface = random.pick([Buffer.alloc(0), http2.PREFACE, mutated(random, http2.PREFACE)]);
    await socket.say(Buffer.concat([preface, noise(random, 2_000)]));
  });

const mutatedFrames: Attack = (address, random, counts) =>
  onSocket(address, counts, async (socket) => {
    await socket.say(Buffer.concat([http2.PREFACE, http2.settings()]));
    for (let count = random.int(1, 40); count > 0 && !socket.isClosed(); count -= 1) {
      counts.frames += 1;
      const right = frameOf(random);
      await socket.say(random.int(0, 2) === 0 ? mutated(random, right) : right);
    }
    await inTime(socket.settled());
  });

const malformedMessages: Attack = (address, random, counts) =>
  onSocket(address, counts, async (socket) => {
    await socket.say(Buffer.concat([http2.PREFACE, http2.settings()]));
    for (let stream = 1; stream < 20 && !socket.isClosed(); stream += 2) {
      counts.calls += 1;
      const request = hostileRequest(random);
      const flag = random.pick([0, 0, 0, 1, 2, 255]);
      const said = random.pick([request.length, request.length, 0, 1, 0xffff_ffff]);
      const message = http2.grpcMessage(request, flag, said);
      const end = random.pick([0, http2.END_STREAM]);
      await socket.say(
        Buffer.concat([
          http2.callHeaders(stream, random.pick(PATHS), metadataOf(random)),
          http2.data(stream, message, end),
        ]),
      );
    }
    await inTime(socket.settled());
  });

/** Whole calls, with a library that gets HTTP/2 right. */
const hostileSession: Attack = async (address, random, counts) => {
  counts.connections += 1;
  counts.calls += 1;
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_send_message_length": -1,
  });
  const bytes = (value: Buffer) => value;
  const metadata = new Metadata();
  metadata.set("claw-agent-id", `mallory-${random.int(0, 20)}`);
  metadata.set("claw-receive", random.pick(["manual", "auto", "none"]));
  const stream = client.makeBidiStreamRequest(http2.CONNECT, bytes, bytes, metadata);
  const over = new Promise<void>((resolve) => stream.on("status", () => resolve()));
  stream.on("error", () => {});
  stream.on("data", () => {});
  for (let count = random.int(1, 30); count > 0; count -= 1) {
    counts.frames += 1;
    stream.write(hostileRequest(random));
  }
  if (random.int(0, 3) > 0) stream.end();
  await inTime(over);
  stream.cancel();
  await over;
  client.close();
};

const flood: Attack = async (address, random, counts) => {
  const name = random.pick(Object.keys(FLOODS));
  counts.connections += 1;
  counts.frames += (await FLOODS[name]?.(address, FLOOD_SHARE)) ?? 0;
};

const ATTACKS: readonly Attack[] = [
  rawBytes,
  mutatedFrames,
  mutatedFrames,
  malformedMessages,
  hostileSession,
  hostileSession,
  flood,
];

const PATHS = [
  http2.CONNECT,
  http2.CONNECT,
  http2.LIST_CHANNELS,
  "/claw.chat.v1.ChatHub/RegisterService",
  "/claw.chat.v1.ChatHub/UnregisterService",
  "/claw.chat.v1.ChatHub/ListServices",
  "/grpc.health.v1.Health/Watch",
  "/grpc.health.v1.Health/Check",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/claw.chat.v1.ChatHub/\xc3\xa9\x7f\xff%00",
  "/__proto__",
  "",
];

function metadataOf(random: Random): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [
    ["claw-agent-id", `mallory-${random.int(0, 20)}`],
    ["claw-agent-id", ""],
    ["claw-agent-id", "\xff\xfe"],
    ["claw-receive", random.pick(["manual", "auto", "none", "?"])],
    ["grpc-timeout", random.pick(["1n", "0S", "99999999H", "-1S", "x"])],
    ["grpc-encoding", random.pick(["gzip", "deflate", "identity", "br", ""])],
    ["grpc-bad-bin", "====\xff"],
    ["x-large", "x".repeat(random.int(0, 9_000))],
    ["UPPER", "x"],
    [":path", "/twice"],
    ["connection", "close"],
    ["content-length", "1"],
    ["", ""],
    ["authorization", "Bearer nobody"],
  ];
  return Array.from({ length: random.int(0, 3) }, () => random.pick(fields));
}

function frameOf(random: Random): Buffer {
  const stream = random.pick([0, 1, 1, 2, 3, 5, 0x7fff_ffff]);
  const flags = random.pick([0, 1, 4, 5, 8, 0x20, 0xff]);
  switch (random.int(0, 5)) {
    case 0:
      return http2.callHeaders(stream, random.pick(PATHS), metadataOf(random));
    case 1:
      return http2.data(stream, http2.grpcMessage(hostileRequest(random)), flags);
    case 2:
      return http2.settings([random.int(0, 9), random.pick([0, 1, 0x7fff_ffff, 0xffff_ffff])]);
    case 3:
      return http2.windowUpdate(stream, random.pick([0, 1, 0x7fff_ffff]));
    default:
      return http2.frame(random.int(0, 12), flags, stream, noise(random, 64));
  }
}

async function onSocket(
  address: string,
  counts: Counts,
  work: (socket: HostileSocket) => Promise<void>,
): Promise<void> {
  counts.connections += 1;
  const socket = await hostileSocket(address);
  await inTime(work(socket));
  await socket.cut();
}

async function inTime(work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => late.resolve(), PATIENCE_MS);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}

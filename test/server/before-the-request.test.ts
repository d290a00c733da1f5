import { once } from "node:events";
import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import {
  callHeaders,
  data,
  END_STREAM,
  grpcMessage,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  settings,
} from "../../proof/fuzz/frames.ts";
import { hostileSocket } from "../../proof/fuzz/hostile-socket.ts";
import { ChatHubService } from "../../src/protocol/wire.js";
import { requestInTime } from "../../src/server/request-in-time.js";
import { administer } from "../../src/store/sqlite/administer.js";
import { makeKey } from "../auth/credentials.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call } from "../support/raw-agent.js";
import { ANY_CHANNEL } from "./chat.js";

let hub: TestHub | undefined;
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
});

/** Begins a plain call by hand, and waits for how it ends. @param body not ended */
async function begun(
  address: string,
  path: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<IncomingHttpHeaders> {
  const session = connect(`http://${address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  stream.write(body);
  stream.resume();
  const ended = once(stream, "trailers");
  const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
  const last = answer["grpc-status"] === undefined ? (await ended)[0] : answer;
  stream.close(constants.NGHTTP2_CANCEL);
  session.destroy();
  return last as IncomingHttpHeaders;
}

const { path: LIST } = ChatHubService.listChannels;
/** Says that 4 MiB follow, and brings none of them. */
const BEGINNING = Buffer.from([0, 0, 0x40, 0, 0]);

test("I2: who calls is found out before anything of the request is read", async () => {
  hub = await startTestHub({ auth: "required" });
  const refused = { "grpc-status": "16", "claw-reason": "MISSING_CREDENTIALS" };
  expect(await begun(hub.address, LIST, BEGINNING)).toMatchObject(refused);
  const undecodable = Buffer.from([0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]);
  expect(await begun(hub.address, LIST, undecodable)).toMatchObject(refused);
});

test("I1: what is no text is refused, and not overlooked as if it were not there", async () => {
  hub = await startTestHub({ auth: "required" });
  const { record, text } = makeKey("alice");
  await administer({ path: hub.dbPath, mode: "write" }, (rows) => rows.putKey(record));
  const authorization = `Bearer ${text}`;
  const call = async (headers: Record<string, string>) =>
    (await begun(hub?.address ?? "", LIST, Buffer.alloc(5), headers))["claw-reason"];
  expect(await call({ authorization, "claw-agent-id": "b\xf6b" })).toBe("INVALID_ID");
  expect(await call({ authorization: `${authorization}\xa0` })).toBe("BAD_CREDENTIALS");
});

test("I2: a key that is revoked while a request is on its way is good for nothing when it is there", async () => {
  hub = await startTestHub({ auth: "required" });
  const { record, text } = makeKey("alice");
  await administer({ path: hub.dbPath, mode: "write" }, (rows) => rows.putKey(record));
  const session = connect(`http://${hub.address}`);
  const list = () => {
    const stream = session.request({
      ":method": "POST",
      ":path": LIST,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${text}`,
    });
    stream.resume();
    // The status comes with the last headers: alone, or behind the answer.
    const status = new Promise<IncomingHttpHeaders>((resolve) => {
      stream.once("response", (headers) => headers["grpc-status"] && resolve(headers));
      stream.once("trailers", resolve);
    });
    return { stream, status };
  };
  const slow = list();
  slow.stream.write(Buffer.alloc(2));
  const quick = list();
  quick.stream.end(Buffer.alloc(5));
  // It came later and took the same steps: so the slow one has been let in as well.
  expect(await quick.status).toMatchObject({ "grpc-status": "0" });
  const revoked = { ...record, revokedAtMs: 1 };
  await administer({ path: hub.dbPath, mode: "write" }, (rows) => rows.putKey(revoked));
  slow.stream.end(Buffer.alloc(3));
  expect(await slow.status).toMatchObject({ "claw-reason": "CREDENTIALS_REVOKED" });
  session.destroy();
});

test("M8: an agent that takes no answers has 256 plain calls under way, and no more", async () => {
  hub = await startTestHub();
  const { address } = hub;
  const socket = await hostileSocket(address);
  await socket.say(Buffer.concat([PREFACE, settings([INITIAL_WINDOW_SIZE, 0])]));
  for (let count = 0; count < 256; count += 1) {
    const [stream, request] = [2 * count + 1, grpcMessage(Buffer.alloc(0))];
    const calling = callHeaders(stream, LIST, [["claw-agent-id", "mallory"]]);
    await socket.say(Buffer.concat([calling, data(stream, request, END_STREAM)]));
  }
  await socket.settled();
  const list = (agentId: string) => call(address, agentId, "listChannels", ANY_CHANNEL);
  await expect(list("mallory")).rejects.toMatchObject({ code: 8, details: /RATE_LIMITED.*256/ });
  await list("alice");
  await socket.cut();
  for (let refused = true; refused; ) {
    refused = await list("mallory").then(
      () => false,
      () => true,
    );
  }
});

test("M5: a call whose request does not come is ended", async () => {
  const server = new Server({ interceptors: [requestInTime(50)] });
  server.addService({ listChannels: ChatHubService.listChannels }, { listChannels: () => {} });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number) => (error ? reject(error) : resolve(at));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  const ended = await begun(`127.0.0.1:${port}`, LIST, BEGINNING);
  expect(ended).toMatchObject({ "grpc-status": "4" });
  server.forceShutdown();
});

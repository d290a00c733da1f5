import { once } from "node:events";
import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { ChatHubService } from "../../src/protocol/wire.js";
import { requestInTime } from "../../src/server/request-in-time.js";
import { administer } from "../../src/store/sqlite/administer.js";
import { makeKey } from "../auth/credentials.js";
import { startTestHub, type TestHub } from "../support/hub.js";

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

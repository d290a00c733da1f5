import { connect } from "node:http2";
import { ConnectRequest, ConnectResponse } from "claw-chat-hub/protocol";
import type { OpenReader } from "./reader.ts";

/** A length of 4 bytes stands before each message, and a byte that says "not compressed". */
const PREFIX_BYTES = 5;

/** A session on bare HTTP/2; shut, its flow-control window is closed, and stays so until it reads. */
export const openHttp2Reader: OpenReader = (of) => {
  const { address, agentId, mode, shut, onResponse, onEnd } = of;
  const session = connect(`http://${address}`, {
    settings: { initialWindowSize: shut ? 0 : 65_535, enablePush: false },
  });
  const stream = session.request({
    ":method": "POST",
    ":path": "/claw.chat.v1.ChatHub/Connect",
    "content-type": "application/grpc",
    te: "trailers",
    "claw-agent-id": agentId,
    "claw-receive": mode,
  });
  let left = Buffer.alloc(0);
  function take(bytes: Buffer): void {
    left = Buffer.concat([left, bytes]);
    while (left.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + left.readUInt32BE(1);
      if (left.length < end) return;
      onResponse(ConnectResponse.decode(left.subarray(PREFIX_BYTES, end)));
      left = left.subarray(end);
    }
  }
  session.on("error", () => {});
  stream.on("error", () => {});
  stream.on("close", () => {
    session.destroy();
    onEnd();
  });
  if (!shut) stream.on("data", take);
  return {
    read() {
      if (!shut || stream.readableFlowing) return;
      session.settings({ initialWindowSize: 65_535 });
      stream.on("data", take);
    },
    send(request) {
      const body = ConnectRequest.encode(request).finish();
      const prefix = Buffer.alloc(PREFIX_BYTES);
      prefix.writeUInt32BE(body.length, 1);
      stream.write(Buffer.concat([prefix, body]));
    },
  };
};

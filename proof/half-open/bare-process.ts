import "../support/end-with-parent.ts";
import { ChannelCredentials, type ClientDuplexStream, Metadata } from "@grpc/grpc-js";
import {
  ChatHubClient,
  ConnectRequest,
  type ConnectResponse,
  ListServicesRequest,
  RegisterServiceRequest,
} from "claw-chat-hub/protocol";
import { type BareOrder, type BareReport, nowMs } from "./words.ts";

/** A session on the bare stub that does only what it is told, and never comes back by itself. */

type Stream = ClientDuplexStream<ConnectRequest, ConnectResponse>;
let stub: ChatHubClient | undefined;
let stream: Stream | undefined;
let metadata = new Metadata();

function tell(report: BareReport): void {
  process.send?.(report);
}

process.on("message", (order: BareOrder) => {
  switch (order.order) {
    case "open":
      open(order);
      return;
    case "heartbeat": {
      const beat = () => send({ requestId: "heartbeat", heartbeat: true });
      beat();
      if (order.everyMs !== undefined) setInterval(beat, order.everyMs);
      return;
    }
    case "say": {
      const { targetAgent, words, ack } = order;
      const acks = ack === undefined ? [] : [{ channelId: ack.channelId, seq: BigInt(ack.seq) }];
      const frame = { $case: "chatMessage", value: { targetAgent, content: words } } as const;
      send({ requestId: words, frame });
      if (acks.length > 0) send({ acks });
      return;
    }
    case "call":
      stub?.listServices(ListServicesRequest.fromPartial({}), metadata, () => {
        tell({ what: "called" });
      });
  }
});

tell({ what: "ready" });

function open(of: Extract<BareOrder, { order: "open" }>): void {
  stub = new ChatHubClient(of.address, ChannelCredentials.createInsecure());
  metadata = new Metadata();
  metadata.set("claw-agent-id", of.agentId);
  const receiving = metadata.clone();
  receiving.set("claw-receive", "manual");
  stream = stub.connect(receiving);
  stream.on("data", onResponse);
  stream.on("error", () => {});
  stream.on("status", ({ code }) => tell({ what: "ended", code, atMs: nowMs() }));
  const service = RegisterServiceRequest.fromPartial({ service: { serviceId: of.serviceId } });
  stub.registerService(service, metadata, (error) => {
    if (error !== null) throw error;
    tell({ what: "registered" });
  });
}

function send(request: Parameters<typeof ConnectRequest.fromPartial>[0]): void {
  stream?.write(ConnectRequest.fromPartial(request));
}

function onResponse({ frame, requestId, receipts }: ConnectResponse): void {
  if (requestId !== "" || receipts.length > 0) tell({ what: "answered" });
  if (frame?.$case === "sessionStarted") tell({ what: "started", atMs: nowMs() });
  if (frame?.$case === "goAway") {
    const { reason, reconnect } = frame.value;
    tell({ what: "goAway", reason, reconnect });
  }
  if (frame?.$case === "chatMessage") {
    const { channelId, seq, content } = frame.value;
    tell({ what: "delivered", channelId, seq: Number(seq), words: content, atMs: nowMs() });
  }
}

import "../support/end-with-parent.ts";
import { ConnectRequest } from "claw-chat-hub/protocol";
import { openGrpcReader } from "./grpc-reader.ts";
import type { DeafOrder, DeafReport } from "./words.ts";

/**
 * An application that asks and asks and does not read its answers: for pages of a long history,
 * each a thousand times larger than its question, with messages between them.
 */

const QUESTIONS = 32;
const MESSAGES_EACH = 20;
const CONTENT = "x".repeat(16 * 1024);

const answers = new Map<string, number>();
let asked = 0;
let wanted = false;
let over = false;
let reader: ReturnType<typeof openGrpcReader> | undefined;

process.on("message", (order: DeafOrder) => {
  if (order.order === "read") {
    wanted = true;
    reader?.read();
    reportWhenDone();
    return;
  }
  const { address, agentId, channelId, stalled } = order;
  reader = openGrpcReader({
    ...{ address, agentId, mode: "manual", shut: stalled },
    onResponse({ requestId, receipts }) {
      for (const id of [requestId, ...receipts.map((receipt) => receipt.requestId)]) {
        if (id !== "") answers.set(id, (answers.get(id) ?? 0) + 1);
      }
      reportWhenDone();
    },
    onEnd() {
      over = true;
      reportWhenDone();
    },
  });
  const ask = (frame: Parameters<typeof ConnectRequest.fromPartial>[0]["frame"]) => {
    asked += 1;
    reader?.send(ConnectRequest.fromPartial({ requestId: String(asked), frame }));
  };
  for (let question = 0; question < QUESTIONS; question += 1) {
    ask({ $case: "chatHistory", value: { channelId, limit: 1000 } });
    for (let count = 0; count < MESSAGES_EACH; count += 1) {
      ask({ $case: "chatMessage", value: { channelId, content: CONTENT } });
    }
  }
  process.send?.({ begun: true } satisfies DeafReport);
});

function reportWhenDone(): void {
  if (!wanted || (answers.size < asked && !over)) return;
  wanted = false;
  const twice = [...answers.values()].filter((count) => count > 1).length;
  process.send?.({ asked, answered: answers.size, twice } satisfies DeafReport);
}

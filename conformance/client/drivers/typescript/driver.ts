/**
 * Lets the conformance kit drive the TypeScript client: instructions come as lines of JSON on
 * standard input, events go out as lines of JSON. docs/conformance.md describes both.
 */
import { createInterface } from "node:readline";
import { ChatClient, type ChatHubError, type IncomingEntry, type Receipt } from "claw-chat-hub";

type Mode = "ack" | "hold" | "fail";
type Sending =
  | { do: "request"; id: string; service_id: string; content: string }
  | { do: "send"; id: string; channel_id: string; content: string }
  | { do: "accept" | "reject" | "end"; id: string; channel_id: string };
type Instruction =
  | { do: "connect" }
  | { do: "credentials"; api_key: string }
  | { do: "handle"; mode: Mode; channel_id?: string }
  | Sending;

const { CLAW_HUB = "localhost:8765", CLAW_AGENT = "judged", CLAW_API_KEY } = process.env;
let apiKey = CLAW_API_KEY;
let general: Mode = "ack";
const modes = new Map<string, Mode>();
/** Wakes the handlers that hold their entries. */
let told = Promise.withResolvers<void>();

const chat = new ChatClient({
  hubUrl: CLAW_HUB,
  agentId: CLAW_AGENT,
  ...(CLAW_API_KEY !== undefined && { apiKey: () => apiKey ?? "" }),
  onFailed: ({ channelId, seq }) => print({ event: "failed", channel_id: channelId, seq }),
});
chat.listen({ request: handle, accept: handle, reject: handle, message: handle, end: handle });
watchConnection();

const leaving = new AbortController();
for await (const line of createInterface({ input: process.stdin })) follow(JSON.parse(line));
leaving.abort();
await chat.disconnect();

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function handle(entry: IncomingEntry): Promise<void> {
  const { kind, channelId, seq } = entry;
  const content = "content" in entry ? entry.content : "";
  print({ event: "delivered", kind, channel_id: channelId, seq, content });
  const mode = () => modes.get(channelId) ?? general;
  while (mode() === "hold") await told.promise;
  if (mode() === "fail") throw new Error("told to fail");
}

async function watchConnection(): Promise<void> {
  for await (const event of chat.connection()) {
    if (event.state === "superseded") print({ event: "stopped", reason: "SUPERSEDED" });
    if (event.state === "closed" && event.error) {
      print({ event: "stopped", reason: event.error.reason });
    }
  }
}

function follow(instruction: Instruction): void {
  switch (instruction.do) {
    case "connect":
      // What keeps it from connecting is told by the events of the connection.
      chat.connect().catch(() => {});
      break;
    case "credentials":
      apiKey = instruction.api_key;
      break;
    case "handle":
      if (instruction.channel_id !== undefined) modes.set(instruction.channel_id, instruction.mode);
      else {
        modes.clear();
        general = instruction.mode;
      }
      told.resolve();
      told = Promise.withResolvers();
      break;
    default:
      tellOutcome(instruction.id, send(instruction));
  }
}

function send(instruction: Sending): Promise<Receipt> {
  if (instruction.do === "request") {
    const { id: idempotencyKey, service_id: serviceId, content } = instruction;
    return chat.sendRequest({ idempotencyKey, serviceId, content });
  }
  const channelId = instruction.channel_id;
  switch (instruction.do) {
    case "send":
      return chat.sendMessage({
        messageId: instruction.id,
        channelId,
        content: instruction.content,
      });
    case "accept":
      return chat.acceptChat({ channelId });
    case "reject":
      return chat.rejectChat({ channelId });
    case "end":
      return chat.endChat({ channelId });
    default:
      return instruction satisfies never;
  }
}

/** Says what has become of a frame, unless the driver leaves before anybody knows. */
function tellOutcome(id: string, sent: Promise<Receipt>): void {
  sent.then(
    ({ channelId, seq }) => print({ event: "stored", id, channel_id: channelId, seq }),
    ({ reason }: ChatHubError) => {
      if (!leaving.signal.aborted) print({ event: "refused", id, reason });
    },
  );
}

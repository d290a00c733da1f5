import {
  ChannelCredentials,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import {
  ChatHubClient,
  ChatHubService,
  ConnectRequest,
  ConnectResponse,
  type ListChannelsRequest,
  type ListChannelsResponse,
  type ListServicesRequest,
  type ListServicesResponse,
  type Receipt,
  type RegisterServiceRequest,
  type RegisterServiceResponse,
  type UnregisterServiceRequest,
  type UnregisterServiceResponse,
} from "../../src/protocol/wire.js";

type Frame = NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]["frame"]>;
type FrameCase = NonNullable<ConnectResponse["frame"]>["$case"];
type FrameOf<C extends FrameCase> = Extract<ConnectResponse["frame"], { $case: C }>["value"];

/** How long a test waits for something that must come, before it says what came instead. */
const PATIENCE_MS = 10_000;

/**
 * An agent on the bare generated stub, without our client: what the hub sends
 * is what a test sees.
 */
export interface RawAgent {
  readonly agentId: string;
  /** Every response so far, in order. */
  readonly responses: ConnectResponse[];
  /** Sends a request as it is. */
  sendRequest(request: Parameters<typeof ConnectRequest.fromPartial>[0]): void;
  /** Sends bytes that no encoder checked. */
  sendBytes(bytes: Uint8Array): void;
  /** Sends a frame under a request id of its own and waits for its answer. */
  ask(frame: Frame, acks?: { channelId: string; seq: bigint }[]): Promise<ConnectResponse>;
  /** The same, where the answer must be a receipt. */
  store(frame: Frame): Promise<Receipt>;
  /** The same, where the answer must be a refusal: its reason. */
  refusal(frame: Frame, acks?: { channelId: string; seq: bigint }[]): Promise<string>;
  ack(channelId: string, seq: bigint): void;
  /** The next delivery or word of this kind that no call has taken yet. */
  next<C extends FrameCase>(kind: C): Promise<FrameOf<C>>;
  /** Resolves when the hub has done everything sent before, and sent what it caused to this agent. */
  settled(): Promise<void>;
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>;
  halfClose(): void;
  /** Stops reading, so that the hub cannot get rid of what it sends. */
  pause(): void;
  resume(): void;
  /** Cuts the stream and waits until it is gone. */
  cut(): Promise<void>;
}

const open: { cut(): Promise<void>; client: ChatHubClient }[] = [];

/** Ends every agent a test opened; call it in afterEach. */
export async function closeAgents(): Promise<void> {
  const agents = open.splice(0);
  await Promise.all(agents.map((agent) => agent.cut()));
  for (const agent of agents) agent.client.close();
}

/** A bare stub; ended by closeAgents. */
function rawClient(address: string): ChatHubClient {
  const client = newStub(address);
  open.push({ cut: async () => {}, client });
  return client;
}

function newStub(address: string, secure = ChannelCredentials.createInsecure()): ChatHubClient {
  return new ChatHubClient(address, secure, {
    // Otherwise a stub inherits the reconnect backoff of another one that met a stopped hub.
    "grpc.use_local_subchannel_pool": 1,
  });
}

/** Call metadata that names an agent, and what shows that it is that one. */
function callerOf(agentId: string, receive?: string, apiKey?: string): Metadata {
  const metadata = new Metadata();
  metadata.set("claw-agent-id", agentId);
  if (apiKey !== undefined) metadata.set("authorization", `Bearer ${apiKey}`);
  if (receive !== undefined) metadata.set("claw-receive", receive);
  return metadata;
}

/** Opens a session. Resolves at once; what is first is SessionStarted. @param secure TLS */
export function openAgent(
  address: string,
  agentId: string,
  receive?: string,
  apiKey?: string,
  secure?: ChannelCredentials,
): RawAgent {
  const client = newStub(address, secure);
  const stream = connectRaw(client, callerOf(agentId, receive, apiKey));
  const responses: ConnectResponse[] = [];
  const waiting = new Set<() => void>();
  const answers = new Map<string, ConnectResponse>();
  const untaken = new Map<FrameCase, ConnectResponse[]>();
  let counter = 0;
  let status: StatusObject | undefined;

  const wake = () => {
    for (const look of [...waiting]) look();
  };
  stream.on("data", (response: ConnectResponse) => {
    responses.push(response);
    const kind = response.frame?.$case;
    if (kind !== undefined && response.requestId === "") {
      const queue = untaken.get(kind);
      if (queue === undefined) untaken.set(kind, [response]);
      else queue.push(response);
    }
    for (const id of [response.requestId, ...response.receipts.map((one) => one.requestId)]) {
      answers.set(id, response);
    }
    wake();
  });
  stream.on("error", () => {});
  const ended = new Promise<StatusObject>((resolve) => {
    stream.on("status", (final: StatusObject) => {
      status = final;
      resolve(final);
      wake();
    });
  });

  function until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        waiting.delete(look);
        clearTimeout(timer);
      };
      const look = () => {
        const found = find();
        if (found !== undefined) {
          finish();
          resolve(found);
        } else if (status !== undefined) {
          finish();
          reject(new Error(`${agentId}: ${what} never came; the stream ended: ${status.details}`));
        }
      };
      const timer = setTimeout(() => {
        finish();
        const seen = responses.map((response) => response.frame?.$case ?? "receipts");
        reject(new Error(`${agentId}: ${what} never came; there were: ${seen.join(", ")}`));
      }, PATIENCE_MS);
      waiting.add(look);
      look();
    });
  }

  function answerTo(requestId: string): Promise<ConnectResponse> {
    return until(`an answer to ${requestId}`, () => answers.get(requestId));
  }

  const agent: RawAgent = {
    agentId,
    responses,
    sendRequest: (request) => void stream.write(ConnectRequest.fromPartial(request)),
    sendBytes: (bytes) => void stream.write(bytes),
    ask(frame, acks = []) {
      counter += 1;
      const requestId = `${agentId}-${counter}`;
      agent.sendRequest({ requestId, frame, acks });
      return answerTo(requestId);
    },
    async store(frame) {
      const asked = agent.ask(frame);
      const requestId = `${agentId}-${counter}`;
      const answer = await asked;
      const receipt = answer.receipts.find((one) => one.requestId === requestId);
      if (receipt === undefined) throw new Error(`no receipt but ${JSON.stringify(answer.frame)}`);
      return receipt;
    },
    async refusal(frame, acks) {
      const answer = await agent.ask(frame, acks);
      if (answer.frame?.$case !== "error") throw new Error("it was not refused");
      return answer.frame.value.reason;
    },
    ack: (channelId, seq) => agent.sendRequest({ acks: [{ channelId, seq }] }),
    next: async (kind) => {
      const response = await until(kind, () => untaken.get(kind)?.shift());
      return response.frame?.value as never;
    },
    async settled() {
      counter += 1;
      const requestId = `${agentId}-heartbeat-${counter}`;
      agent.sendRequest({ requestId, heartbeat: true });
      await answerTo(requestId);
    },
    ended,
    halfClose: () => void stream.end(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    async cut() {
      if (status === undefined) stream.cancel();
      await ended;
      client.close();
    },
  };
  open.push({ cut: agent.cut, client });
  return agent;
}

/** The generated Connect, except that bytes may be passed through unencoded. */
function connectRaw(
  client: ChatHubClient,
  metadata: Metadata,
): ClientDuplexStream<ConnectRequest | Uint8Array, ConnectResponse> {
  return client.makeBidiStreamRequest(
    "/claw.chat.v1.ChatHub/Connect",
    (request) =>
      Buffer.from(
        request instanceof Uint8Array ? request : ConnectRequest.encode(request).finish(),
      ),
    (bytes) => ConnectResponse.decode(bytes),
    metadata,
    {},
  );
}

interface UnaryCalls {
  registerService: [RegisterServiceRequest, RegisterServiceResponse];
  unregisterService: [UnregisterServiceRequest, UnregisterServiceResponse];
  listServices: [ListServicesRequest, ListServicesResponse];
  listChannels: [ListChannelsRequest, ListChannelsResponse];
}

/** A unary call of an agent as a promise, on a stub of its own. */
export function call<Name extends keyof UnaryCalls>(
  address: string,
  agentId: string,
  name: Name,
  request: UnaryCalls[Name][0],
  apiKey?: string,
): Promise<UnaryCalls[Name][1]> {
  const client = rawClient(address);
  const { path, requestSerialize, responseDeserialize } = ChatHubService[name] as unknown as {
    path: string;
    requestSerialize: (request: UnaryCalls[Name][0]) => Buffer;
    responseDeserialize: (bytes: Buffer) => UnaryCalls[Name][1];
  };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      callerOf(agentId, undefined, apiKey),
      (error: ServiceError | null, response?: UnaryCalls[Name][1]) => {
        if (error !== null) reject(error);
        else if (response === undefined) reject(new Error("neither a response nor an error"));
        else resolve(response);
      },
    );
  });
}

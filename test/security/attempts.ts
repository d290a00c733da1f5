import type { ServiceError, StatusObject } from "@grpc/grpc-js";
import type { ConnectRequest, ConnectResponse } from "../../src/protocol/wire.js";
import { ANY_CHANNEL, ANY_SERVICE, EMPTY_SERVICE } from "../server/chat.js";
import { call, openAgent, type RawAgent } from "../support/raw-agent.js";
import type { Operation } from "./matrix.js";
import type { Actor, Scene } from "./scene.js";

/** Tries something and says what came of it, in the words of the matrix. */
export async function attempt(operation: Operation, scene: Scene, actor: Actor): Promise<string> {
  const receive = RECEIVE[operation];
  if (receive !== undefined) return openSession(scene, actor, receive);
  const request = requestOf(operation, scene);
  if (request !== undefined) return sendInSession(scene, actor, request);
  try {
    return await callUnary(operation, scene, actor);
  } catch (error) {
    return reasonOf(error as ServiceError);
  }
}

const RECEIVE: Partial<Record<Operation, string>> = {
  "Connect, receive none": "none",
  "Connect, receive manual": "manual",
  "Connect, receive auto": "auto",
};

function reasonOf({ metadata, details }: StatusObject | ServiceError): string {
  const [reason] = metadata.get("claw-reason");
  return reason === undefined ? `ended without a reason: ${details}` : String(reason);
}

/** What an agent heard, or the reason for which its stream ended instead. */
function heard(agent: RawAgent, word: Promise<string>): Promise<string> {
  word.catch(() => {});
  return Promise.race([word, agent.ended.then(reasonOf)]);
}

async function openSession({ hub }: Scene, actor: Actor, receive: string): Promise<string> {
  const agent = openAgent(hub.address, actor.agentId, receive, actor.apiKey);
  const greeted = agent.next("sessionStarted");
  const word = greeted.then(({ agentId }) =>
    agentId === actor.agentId ? "session" : `a session of ${agentId}`,
  );
  return heard(agent, word);
}

type Request = Parameters<RawAgent["sendRequest"]>[0];
const REQUEST_ID = "the attempt";

async function sendInSession({ hub }: Scene, actor: Actor, request: Request): Promise<string> {
  const agent = openAgent(hub.address, actor.agentId, "none", actor.apiKey);
  agent.sendRequest({ ...request, requestId: REQUEST_ID });
  // What has had no answer by then gets none: acks are answered only when refused.
  const answered = agent.settled().then(() => wordOf(agent.responses));
  return heard(agent, answered);
}

function wordOf(responses: ConnectResponse[]): string {
  for (const response of responses) {
    const receipt = response.receipts.find(({ requestId }) => requestId === REQUEST_ID);
    if (receipt !== undefined) return receipt.duplicate ? "repeated" : "stored";
    if (response.requestId !== REQUEST_ID) continue;
    if (response.frame === undefined) return "answered";
    if (response.frame.$case === "error") return response.frame.value.reason;
    return response.frame.$case === "chatHistory" ? "page" : response.frame.$case;
  }
  return "taken";
}

/** What is sent in a session; undefined where it is a call of its own. */
function requestOf(operation: Operation, scene: Scene): Request | undefined {
  const { channelId, serviceId, names } = scene;
  const frame = (one: NonNullable<ConnectRequest["frame"]>["$case"], value: object): Request =>
    ({ frame: { $case: one, value } }) as Request;
  switch (operation) {
    case "heartbeat":
      return { heartbeat: true };
    case "chat_request by service_id":
      return frame("chatRequest", { serviceId });
    case "chat_request by provider_id":
      return frame("chatRequest", { providerId: names.provider });
    case "chat_accept by channel_id":
      return frame("chatAccept", { channelId });
    case "chat_accept by consumer_id":
      return frame("chatAccept", { consumerId: names.consumer });
    case "chat_reject by channel_id":
      return frame("chatReject", { channelId });
    case "chat_message by channel_id":
      return frame("chatMessage", { channelId, content: "hello" });
    case "chat_message by service_id":
      return frame("chatMessage", { serviceId, content: "hello" });
    case "chat_message in another's name":
      return frame("chatMessage", { channelId, content: "hello", senderId: "somebody-else" });
    case "chat_end":
      return frame("chatEnd", { channelId });
    case "chat_history by channel_id":
      return frame("chatHistory", { channelId });
    case "chat_history by service_id":
      return frame("chatHistory", { serviceId });
    case "acks":
      return { acks: [{ channelId, seq: 1n }] };
    case "set_aside":
      return { setAside: [{ channelId, seq: 1n }] };
    default:
      return undefined;
  }
}

async function callUnary(
  operation: Operation,
  { hub, serviceId, channelId, names }: Scene,
  { agentId, apiKey }: Actor,
): Promise<string> {
  switch (operation) {
    case "RegisterService": {
      const service = { ...EMPTY_SERVICE, serviceId };
      await call(hub.address, agentId, "registerService", { service }, apiKey);
      return "done";
    }
    case "UnregisterService":
      await call(hub.address, agentId, "unregisterService", { serviceId }, apiKey);
      return "done";
    case "ListServices": {
      const asked = { ...ANY_SERVICE, query: serviceId };
      const { services } = await call(hub.address, agentId, "listServices", asked, apiKey);
      return listed(services.some((one) => one.serviceId === serviceId));
    }
    case "ListChannels":
    case "ListChannels of a member":
    case "ListChannels of all": {
      const memberId = { ListChannels: "", "ListChannels of a member": names.consumer };
      const asked = {
        ...ANY_CHANNEL,
        memberId: memberId[operation as keyof typeof memberId] ?? "*",
      };
      const { channels } = await call(hub.address, agentId, "listChannels", asked, apiKey);
      return listed(channels.some((one) => one.channelId === channelId));
    }
    default:
      throw new Error(`nobody knows how to try ${operation}`);
  }
}

function listed(isThere: boolean): string {
  return isThere ? "listed" : "not listed";
}

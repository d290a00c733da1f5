import type { JsonObject } from "@bufbuild/protobuf";
import type { KeptContract } from "./kept-contract.js";
import type { RawHub } from "./raw-hub.js";

/** What a hub shows to one agent, in the JSON form of a contract. */
export interface Shown {
  agent: string;
  /** Its own services. */
  services: JsonObject;
  channels: JsonObject;
  /** The answers to a `chat_history` about each of its channels, newest channel first. */
  histories: JsonObject[];
}

const ALL = 1000;

/** Asks a hub, as a client of a release would, for everything that agents may see. */
export async function everythingOf(
  hub: RawHub,
  contract: KeptContract,
  agents: readonly string[],
): Promise<Shown[]> {
  async function call(method: string, agent: string, request: JsonObject): Promise<JsonObject> {
    const answer = await hub.call(method, agent, contract.encode(`${method}Request`, request));
    if (Buffer.isBuffer(answer)) return contract.decode(`${method}Response`, answer).json;
    throw new Error(`${method} of ${agent} ended with ${answer.code} ${answer.reason}`);
  }
  const shown: Shown[] = [];
  for (const agent of agents) {
    const services = await call("ListServices", agent, { providerId: agent, pageSize: ALL });
    const channels = await call("ListChannels", agent, { pageSize: ALL });
    const histories = await historiesOf(hub, contract, agent, (channels.channels as []) ?? []);
    shown.push({ agent, services, channels, histories });
  }
  return shown;
}

async function historiesOf(
  hub: RawHub,
  contract: KeptContract,
  agent: string,
  channels: { channelId: string }[],
): Promise<JsonObject[]> {
  const answers: JsonObject[] = [];
  const session = hub.session({ agent }, (bytes) => {
    answers.push(contract.decode("ConnectResponse", bytes).json);
  });
  for (const { channelId } of channels) {
    session.send(contract.encode("ConnectRequest", { chatHistory: { channelId, limit: ALL } }));
  }
  session.halfClose();
  await session.ended;
  return answers.filter((answer) => answer.sessionStarted === undefined);
}

import {
  type ChatHubClient,
  ListChannelsRequest,
  type ListChannelsResponse,
} from "claw-chat-hub/protocol";
import { callerOf } from "./bare-session.ts";

/** How far an agent has got in one of its channels. */
export interface OwnPosition {
  channelId: string;
  position: number;
  lastSeq: number;
}

/**
 * Where an agent stands in each of its channels, as the hub says.
 * @returns undefined where the hub did not answer
 */
export async function ownPositions(
  stub: ChatHubClient,
  agentId: string,
): Promise<OwnPosition[] | undefined> {
  const found: OwnPosition[] = [];
  let pageToken = "";
  do {
    const page = await listChannels(stub, agentId, pageToken);
    if (page === undefined) return undefined;
    for (const { channelId, lastSeq, positions } of page.channels) {
      const own = positions.find((one) => one.agentId === agentId);
      found.push({ channelId, position: Number(own?.ackedSeq ?? 0), lastSeq: Number(lastSeq) });
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return found;
}

function listChannels(
  stub: ChatHubClient,
  agentId: string,
  pageToken: string,
): Promise<ListChannelsResponse | undefined> {
  const request = { ...ListChannelsRequest.create(), pageSize: 1000, pageToken };
  return new Promise((resolve) => {
    stub.listChannels(request, callerOf(agentId), (error, page) => {
      resolve(error === null ? page : undefined);
    });
  });
}

import type { Context } from "./context.js";

/** Whether an agent may begin another chat, or offer another service. */
export async function hasRoomForChat({ tx, env }: Context, agentId: string): Promise<boolean> {
  if (env.maxChannels === 0) return true;
  const [chats, services] = [await tx.countUnended(agentId), await tx.countServices(agentId)];
  return chats + services < env.maxChannels;
}

import type { ServiceInfo, TracedFrame } from "claw-chat-hub";
import { ConnectRequest, ConnectResponse } from "claw-chat-hub/protocol";

/** What an agent of the demo tells the main process: a frame that passed, or its registered service. */
export type Report = FrameReport | { service: ServiceInfo };

export interface FrameReport {
  direction: "sent" | "received";
  /** The request or response as JSON, in the proto's own JSON form. */
  body: unknown;
  /** When it passed, on the agent's own clock, in milliseconds. */
  atMs: number;
}

/** Give it to a ChatClient as `onFrame`: tells the main process of every frame that travels. */
export function report({ direction, request, response }: TracedFrame): void {
  const body = request
    ? ConnectRequest.toJSON(request)
    : response && ConnectResponse.toJSON(response);
  process.send?.({ direction, body, atMs: performance.now() } satisfies FrameReport);
}

/** Tells the main process that a service is registered. */
export function reportService(service: ServiceInfo): void {
  process.send?.({ service } satisfies Report);
}

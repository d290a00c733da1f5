import type { ServerHttp2Stream } from "node:http2";
import { MAX_TRANSPORT_BYTES } from "../protocol/limits.js";
import { boundUnfinished } from "./unfinished-requests.js";

const MIB = 1024 * 1024;
/** What unfinished requests may cost together: of those who have said who they are, … */
const AGENTS_BYTES = 64 * MIB;
/** … and of everybody else, who cannot use up what the others have. */
const STRANGERS_BYTES = 8 * MIB;

/** Names of services and files are asked for here, with room to spare. */
const STRANGERS: readonly [prefix: string, maxRequestBytes: number][] = [
  ["/grpc.health.v1.", 1024],
  ["/grpc.reflection.", 16 * 1024],
];

/**
 * Bounds what calls bring before it is a request. The calls of agents are not read before it is known
 * who calls.
 */
export function boundRequests(): (stream: ServerHttp2Stream, path: string) => void {
  const agents = boundUnfinished(AGENTS_BYTES);
  const strangers = boundUnfinished(STRANGERS_BYTES);
  return (stream, path) => {
    const [, most] = STRANGERS.find(([prefix]) => path.startsWith(prefix)) ?? [];
    if (most === undefined) agents.watch(stream, MAX_TRANSPORT_BYTES);
    else strangers.watch(stream, most);
  };
}

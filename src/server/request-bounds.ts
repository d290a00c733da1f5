import { constants, type ServerHttp2Stream } from "node:http2";
import { MAX_TRANSPORT_BYTES } from "../protocol/limits.js";
import { boundUnfinished } from "./unfinished-requests.js";

const MIB = 1024 * 1024;
/** What unfinished requests may cost together: of those who have said who they are, … */
const AGENTS_BYTES = 64 * MIB;
/** … and of everybody else, who cannot use up what the others have. */
const STRANGERS_BYTES = 8 * MIB;
/** Open calls of everybody else: each costs about 13 KiB, and a `Watch` may last for ever. */
const STRANGERS_CALLS = 2_000;

/** Names of services and files are asked for here, with room to spare. */
const STRANGERS: readonly [prefix: string, maxRequestBytes: number][] = [
  ["/grpc.health.v1.", 1024],
  ["/grpc.reflection.", 16 * 1024],
];

/**
 * Bounds what calls bring before it is a request, and how many there are of those that need no
 * credentials: of these the oldest is reset when there is one too many. The calls of agents are not read
 * before it is known who calls.
 */
export function boundRequests(
  strangersCalls = STRANGERS_CALLS,
): (stream: ServerHttp2Stream, path: string) => void {
  const agents = boundUnfinished(AGENTS_BYTES);
  const strangers = boundUnfinished(STRANGERS_BYTES);
  /** The oldest first. */
  const open = new Set<ServerHttp2Stream>();
  return (stream, path) => {
    const [, most] = STRANGERS.find(([prefix]) => path.startsWith(prefix)) ?? [];
    if (most === undefined) {
      agents.watch(stream, MAX_TRANSPORT_BYTES);
      return;
    }
    strangers.watch(stream, most);
    open.add(stream);
    stream.once("close", () => open.delete(stream));
    const [oldest] = open;
    if (open.size <= strangersCalls || oldest === undefined) return;
    open.delete(oldest);
    oldest.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
}

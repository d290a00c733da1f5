/** What an agent of the load does, for as long as the load lasts. */
export type Part =
  /** Says something to each of its peers in turn, by their names. */
  | { does: "chat"; peers: string[] }
  /** Offers a service, takes or declines what is asked of it, and replies to every message. */
  | { does: "provide"; serviceId: string; acceptPolicy: "manual" | "auto" }
  /** Asks for chats about a service, says a few things in each, and ends it. */
  | { does: "consume"; serviceId: string }
  /** Only takes what it is told. */
  | { does: "listen" };

/** One agent of the load. */
export interface CastMember {
  id: string;
  /** Which process it lives in, from 0. */
  process: number;
  /** On the bare stub with a resending of its own, or on the package's ChatClient. */
  client: "bare" | "package";
  part: Part;
  /** Requests without a receipt at a time. */
  pipelined: number;
  /** How long an agent on the package's client waits after a receipt before it says more. Default 0. */
  pauseMs?: number;
}

/**
 * The load of a crash run: six agents on the bare stub that chat in both directions and across
 * each other, a provider with a service that it answers itself and one with a service that the
 * hub accepts for, a consumer of each, and two agents on the package's client.
 */
export function crashCast(): CastMember[] {
  const bare = (id: string, process: number, part: Part, pipelined = 16): CastMember => ({
    ...{ id, process, part, pipelined },
    client: "bare",
  });
  const packaged = (id: string, process: number, peers: string[]): CastMember => ({
    ...{ id, process, pipelined: 16 },
    client: "package",
    part: { does: "chat", peers },
  });
  return [
    bare("ann", 0, { does: "chat", peers: ["bob", "dan"] }),
    bare("bob", 1, { does: "chat", peers: ["ann"] }, 32),
    bare("cid", 0, { does: "chat", peers: ["dan", "eve", "bob"] }),
    bare("dan", 1, { does: "chat", peers: ["cid"] }),
    bare("eve", 0, { does: "listen" }),
    bare("fay", 1, { does: "chat", peers: ["eve", "pat"] }),
    bare("pro", 0, { does: "provide", serviceId: "asked", acceptPolicy: "manual" }),
    bare("aut", 1, { does: "provide", serviceId: "open", acceptPolicy: "auto" }),
    bare("con", 1, { does: "consume", serviceId: "asked" }, 2),
    bare("sum", 0, { does: "consume", serviceId: "open" }, 2),
    packaged("pat", 0, ["quin"]),
    packaged("quin", 1, ["pat", "ann"]),
  ];
}

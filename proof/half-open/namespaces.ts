import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Addresses of the network that exists in these namespaces only. */
const HUB_IP = "10.213.0.1";

/** A hub's network namespace, and others with a cable each to it. */
export interface World {
  readonly hubIp: string;
  /** Runs a command where the hub is. */
  readonly underHub: string[];
  /** Runs a command at the place with this number, from 0. */
  under(place: number): string[];
  /** Pulls the cable of a place: nothing passes any more, and neither end is told. */
  pull(place: number): Promise<void>;
  plug(place: number): Promise<void>;
  /** Removes all of it. */
  remove(): Promise<void>;
}

/** This machine cannot make namespaces: it has no `ip`, or this user may not. */
export class NoNamespaces extends Error {}

/** Makes them, under names with the number of this process. @throws NoNamespaces */
export async function makeWorld(places: number): Promise<World> {
  const hub = `claw-${process.pid}-hub`;
  const made: string[] = [];
  const nameOf = (place: number) => `claw-${process.pid}-${place}`;

  async function make(name: string): Promise<void> {
    await run("ip", ["netns", "add", name]).catch((cause) => {
      throw new NoNamespaces("ip netns add failed", { cause });
    });
    made.push(name);
    await ip(name, "link set lo up");
  }
  async function remove(): Promise<void> {
    for (const name of made.splice(0)) await run("ip", ["netns", "del", name]);
  }
  try {
    await make(hub);
    await ip(hub, "link add bridge0 type bridge");
    await ip(hub, `address add ${HUB_IP}/24 dev bridge0`);
    await ip(hub, "link set bridge0 up");
    for (let place = 0; place < places; place += 1) {
      const name = nameOf(place);
      await make(name);
      await ip(hub, `link add cable${place} type veth peer name eth0 netns ${name}`);
      await ip(hub, `link set cable${place} master bridge0 up`);
      await ip(name, `address add 10.213.0.${place + 10}/24 dev eth0`);
      await ip(name, "link set eth0 up");
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    hubIp: HUB_IP,
    underHub: ["ip", "netns", "exec", hub],
    under: (place) => ["ip", "netns", "exec", nameOf(place)],
    pull: (place) => ip(hub, `link set cable${place} down`),
    plug: (place) => ip(hub, `link set cable${place} up`),
    remove,
  };
}

async function ip(namespace: string, words: string): Promise<void> {
  await run("ip", ["-n", namespace, ...words.split(" ")]);
}

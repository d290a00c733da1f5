import { createHash } from "node:crypto";

/** A chat that was written into a database before the hub was started. */
export interface StoredChat {
  /** Its number, which the contents of its messages name. */
  number: number;
  channelId: string;
  sender: string;
  receiver: string;
}

/** Each of so many senders has a chat with each of so many receivers. */
const AGENTS = 100;
/** Numbers of chats whose messages wait for their receivers, from here on. */
const FIRST_WAITING = 1_000_000;

/** Up to 10,000 chats, each of another two agents; of those that follow each other, 100 share nobody. */
export function storedChat(number: number): StoredChat {
  const receiver = number % AGENTS;
  const sender = (receiver + Math.floor(number / AGENTS)) % AGENTS;
  return {
    number,
    channelId: channelIdOf(number),
    sender: `bench-stored-s${sender}`,
    receiver: `bench-stored-r${receiver}`,
  };
}

/** Chats with messages that nobody has read yet; each receiver has one, and takes part once. */
export function waitingChat(index: number): StoredChat {
  const number = FIRST_WAITING + index;
  return {
    number,
    channelId: channelIdOf(number),
    sender: `bench-waiting-s${index % AGENTS}`,
    receiver: `bench-waiting-r${index}`,
  };
}

/** The same for the same number, in the form and without the order of a random UUID. */
function channelIdOf(number: number): string {
  const hex = createHash("sha256").update(`chat ${number}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(12, 15)}`, `8${hex.slice(15, 18)}`]
    .concat(hex.slice(18, 30))
    .join("-");
}

/** What Redis answers; a string that is simple is one, bulk strings are bytes. */
export type Reply = string | number | Buffer | null | Error | Reply[];

const CR = 13;

/** Reads replies of Redis out of what comes in; a reply that is cut off waits for more. */
export function createRespReader(onReply: (reply: Reply) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;

  /** Up to the end of the line, or undefined where it has not come. */
  function line(): string | undefined {
    const end = rest.indexOf(CR, at);
    if (end < 0 || end + 2 > rest.length) return undefined;
    const text = rest.toString("latin1", at, end);
    at = end + 2;
    return text;
  }

  function reply(): Reply | undefined {
    const head = line();
    if (head === undefined) return undefined;
    const value = head.slice(1);
    if (head.startsWith("+")) return value;
    if (head.startsWith("-")) return new Error(value);
    if (head.startsWith(":")) return Number(value);
    const size = Number(value);
    if (size < 0) return null;
    if (head.startsWith("$")) return bulk(size);
    const items: Reply[] = [];
    for (let index = 0; index < size; index += 1) {
      const item = reply();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }

  function bulk(size: number): Buffer | undefined {
    if (at + size + 2 > rest.length) return undefined;
    const bytes = rest.subarray(at, at + size);
    at += size + 2;
    return bytes;
  }

  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let taken = 0;
    for (at = 0; ; taken = at) {
      const found = reply();
      if (found === undefined) break;
      const end = at;
      onReply(found);
      at = end;
    }
    rest = rest.subarray(taken);
  };
}

import { isIPv4, isIPv6 } from "node:net";

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const PREFIX_GROUPS = 4;

/**
 * Under which name an address is counted: an IPv4 address as it is, also where it comes mapped
 * into IPv6; an IPv6 address by its first 64 bits, because whoever has one has all of those.
 * What is no address is its own name.
 */
export function addressKey(address: string): string {
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIPv4(address) || !isIPv6(address)) return address;
  const [plain = ""] = address.split("%");
  const [head = "", tail] = plain.split("::");
  const before = groupsOf(head);
  // An IPv4 address at the end stands for two groups; it lies behind the first four either way.
  const after = tail === undefined ? [] : groupsOf(tail);
  const width = 8 - (plain.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? 0 : width - before.length - after.length;
  const groups = [...before, ...Array<number>(zeros).fill(0), ...after];
  const prefix = groups.slice(0, PREFIX_GROUPS).map((group) => group.toString(16));
  return `${prefix.join(":")}::/64`;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

import type { Order, OrderReport } from "../load/generator.ts";

/** What every part of the benchmark works with. */
export interface Bench {
  /** A folder of its own, on a disk. */
  folder: string;
  /** How often each system is measured. */
  rounds: number;
  /** How long each time. */
  ms: number;
  /** How long a load runs before it is measured. */
  warmMs: number;
  /** Little data and few agents, to see whether the benchmark works. */
  small: boolean;
  /** Whether everything is asked for. */
  full: boolean;
  /** Gives the load generator an order. @throws Error when a check has failed */
  ask<K extends Order["kind"]>(order: Order & { kind: K }): Promise<OrderReport<K>>;
  /** Tells how far it is. */
  say(sentence: string): void;
}

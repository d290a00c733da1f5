import type { FrameReport, Report } from "./report.ts";

/** One frame, or the receipts, as one process saw it pass. */
export interface Seen {
  /** The agent in whose process it was seen. */
  agent: string;
  direction: "sent" | "received";
  requestId: string;
  /** Such as "chat_request"; "" where only receipts travelled. */
  frame: string;
  /** The frame's own fields, named as in the proto. */
  fields: Fields;
  receipts: Fields[];
  atMs: number;
}

/** What `frame` says for a registered service, which is no frame but the answer to a call. */
export const SERVICE = "service";

export type Fields = Record<string, unknown>;

/** Collects what the agents report, and gives it to whoever waits for it. */
export class Journal {
  readonly #seen: Seen[] = [];
  #wake: () => void = () => {};
  #failure: Error | undefined;

  /** Takes one agent's report. */
  add(agent: string, report: Report): void {
    this.#seen.push(
      "service" in report ? registered(agent, report.service) : seenBy(agent, report),
    );
    this.#wake();
  }

  /** Makes every wait, now and later, reject. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** The first report not yet taken that fits; takes it. */
  async take(fits: (seen: Seen) => boolean): Promise<Seen> {
    for (;;) {
      const place = this.#seen.findIndex(fits);
      const [found] = place < 0 ? [] : this.#seen.splice(place, 1);
      if (found !== undefined) return found;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  /** Chat frames that nobody waited for: none, when the story told everything. */
  untold(): Seen[] {
    return this.#seen.filter((seen) => seen.frame.startsWith("chat_"));
  }
}

function registered(agent: string, service: object): Seen {
  const fields = snakeCase(service) as Fields;
  return {
    agent,
    direction: "received",
    requestId: "",
    frame: SERVICE,
    fields,
    receipts: [],
    atMs: 0,
  };
}

function seenBy(agent: string, { direction, body, atMs }: FrameReport): Seen {
  const { request_id = "", receipts = [], ...rest } = snakeCase(body) as Fields;
  const frame = Object.keys(rest).find((key) => typeof rest[key] === "object" && key !== "acks");
  return {
    ...{ agent, direction, atMs },
    requestId: String(request_id),
    frame: frame ?? "",
    fields: (frame === undefined ? {} : rest[frame]) as Fields,
    receipts: receipts as Fields[],
  };
}

/** JSON as in the proto: snake_case names, durations such as "300s"; seqs as the numbers they are. */
function snakeCase(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => snakeCase(item));
  if (name === "timeout" || name === "retry_after") return secondsOf(value as Fields);
  if (typeof value === "string" && /(^|_)seq$/.test(name)) return Number(value);
  if (typeof value !== "object" || value === null || name === "metadata") return value;
  const entries = Object.entries(value).map(([key, field]) => {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [snake, snakeCase(field, snake)];
  });
  return Object.fromEntries(entries);
}

function secondsOf({ seconds = 0, nanos = 0 }: Fields): string {
  return `${Number(seconds) + Number(nanos) / 1e9}s`;
}

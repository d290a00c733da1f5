import { type CatchUp, createCatchUp } from "./catch-up.js";
import { type Delivery, isLast } from "./delivery.js";
import type { InboxLinks } from "./inbox-links.js";
import type { IncomingKind } from "./incoming.js";
import { holds, insert, type Line, skip } from "./line.js";
import { createLineTable } from "./line-table.js";
import { type Lane, type Listener, Listeners, type Outcome } from "./listeners.js";

/**
 * The entries that were delivered and are not handled yet: a line for each channel, one entry
 * of it worked on at a time, so a slow chat blocks only itself.
 *
 * Memory stays bounded without ever pausing the stream: the answers that a handler awaits come
 * over the same stream, so pausing it could wait for itself. Instead, entries beyond the bound
 * are left to the hub's log: the channel is marked as behind, nothing further of it is taken,
 * and once it has drained the session is opened anew. A new session is sent everything after
 * the acked positions (D1), and what is here already is recognised by its seq. So nothing is
 * lost, repeated or put out of order. A channel may hold as many entries as there are places
 * free, so a busy one can use most of the room and still leaves some for the others.
 */
export class Inbox {
  readonly #links: InboxLinks;
  readonly #listeners = new Listeners();
  readonly #lines = createLineTable();
  #undecided = new Set<Line>();
  /** The deliveries of the log there is now. */
  #known = new WeakSet<Delivery>();
  #buffered = 0;
  #accepting = true;
  readonly #catchUp: CatchUp;
  readonly #running = new Set<Promise<unknown>>();

  constructor(links: InboxLinks) {
    this.#links = links;
    this.#catchUp = createCatchUp({
      maxEntries: links.maxBufferedEntries,
      free: () => this.#free(),
      reopen: () => links.reopen(),
    });
  }

  /** A new session: what was left or skipped comes again. own: see ConnectionHooks. */
  sessionStarted(own: boolean): void {
    this.#accepting = true;
    this.#catchUp.clear();
    for (const line of this.#lines.all()) {
      line.skipped.clear();
      // A handler that kept throwing gets another chance when the connection was really new.
      if (!own) line.stopped = false;
    }
  }

  /** Another log (D7): what is known of channels says nothing about it. */
  forgetAll(): void {
    for (const line of this.#lines.all()) this.#clear(line);
    this.#lines.clear();
    this.#known = new WeakSet();
  }

  /** An entry arrived. */
  offer(delivery: Delivery): void {
    if (!this.#accepting) return;
    const { channelId, seq, kind } = delivery;
    const line = this.#lines.of(channelId);
    if (seq <= line.handledSeq) {
      // The ack was lost with the session before.
      this.#links.ack(channelId, line.handledSeq);
      return;
    }
    if (!this.#isWanted(kind)) {
      skip(line, delivery);
      if (isLast(kind)) this.#lines.ended(channelId);
      return;
    }
    if (this.#catchUp.isBehind(line) || line.stopped || holds(line, seq)) return;
    const claim = this.#claimOnArrival(line, delivery);
    if (claim === "claimed") return;
    // A requestChat may be what the handlers wait for that hold the room: its answer needs none.
    if (claim !== "undecided" && line.queue.length >= this.#free()) {
      this.#catchUp.fellBehind(line);
      return;
    }
    this.#known.add(delivery);
    insert(line, delivery);
    this.#buffered += 1;
    this.#next(line);
  }

  /** Everything in the channel up to seq is handled; harmless when repeated. */
  handled(delivery: Delivery): void {
    if (!this.#known.has(delivery)) return;
    const { channelId, seq, kind } = delivery;
    const line = this.#lines.of(channelId);
    if (isLast(kind)) this.#lines.ended(channelId);
    if (seq <= line.handledSeq) return;
    line.handledSeq = seq;
    this.#keep(line, (waiting) => waiting.seq > seq);
    this.#links.ack(channelId, seq);
    if (line.running === delivery) line.acked();
  }

  /** The channel's request was answered: whoever holds it is done with it. */
  requestAnswered(channelId: string): void {
    const running = this.#lines.find(channelId)?.running;
    if (running?.kind === "request") this.handled(running);
  }

  /** The entry was acked, by hand or otherwise. */
  isHandled({ channelId, seq }: Delivery): boolean {
    return seq <= (this.#lines.find(channelId)?.handledSeq ?? 0);
  }

  /** The channel is over, without an entry that says so to this agent. */
  ended(channelId: string): void {
    this.#lines.ended(channelId);
  }

  /** How far each channel is handled. */
  *positions(): Generator<[string, number]> {
    for (const { channelId, handledSeq } of this.#lines.all()) {
      if (handledSeq > 0) yield [channelId, handledSeq];
    }
  }

  /** From now on these kinds go to this listener; those skipped before are asked for again. */
  attach(kinds: readonly IncomingKind[], listener: Listener): void {
    this.#listeners.attach(kinds, listener);
    for (const line of this.#lines.all()) this.#recall(line, kinds);
  }

  /**
   * A requestChat waits for the channel's answer, which may have been skipped before.
   * @returns false where it was and cannot come again
   */
  recallAnswer(channelId: string): boolean {
    const line = this.#lines.find(channelId);
    return line === undefined || this.#recall(line, ["accept", "reject"]);
  }

  /** Asks again for what was skipped of these kinds; false where it was, and is over. */
  #recall(line: Line, kinds: readonly IncomingKind[]): boolean {
    const first = Math.min(...kinds.map((kind) => line.skipped.get(kind) ?? Infinity));
    if (first === Infinity) return true;
    // What a later ack has covered is over (acks are cumulative); so is what comes before
    // the entry that is being worked on.
    if (first <= Math.max(line.handledSeq, line.running?.seq ?? 0)) return false;
    this.#keep(line, (waiting) => waiting.seq < first);
    this.#catchUp.fellBehind(line);
    return true;
  }

  /** Nobody listens for the listener's kinds any more: what waits of them is not kept. */
  detach(listener: Listener): void {
    const kinds = this.#listeners.detach(listener);
    if (kinds.length === 0) return;
    for (const line of this.#lines.all()) {
      listener.lane.waiting.delete(line);
      this.#keep(line, (waiting) => {
        if (!kinds.includes(waiting.kind)) return true;
        skip(line, waiting);
        return false;
      });
      this.#next(line);
    }
  }

  /** A requestChat has its receipt, its answer, or was given up. */
  answersChanged(): void {
    const lines = [...this.#undecided];
    this.#undecided.clear();
    for (const line of lines) this.#next(line);
  }

  /** Resolves when no handler runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Takes nothing further and drops what waits, unacked; a later session is sent it again. */
  close(): void {
    this.#accepting = false;
    this.#catchUp.clear();
    for (const line of this.#lines.all()) this.#clear(line);
  }

  #isWanted(kind: IncomingKind): boolean {
    if (this.#listeners.get(kind) !== undefined) return true;
    return (kind === "accept" || kind === "reject") && this.#links.expectsAnswers();
  }

  /** An answer with nothing before it goes to its requestChat at once. */
  #claimOnArrival(line: Line, delivery: Delivery): ReturnType<InboxLinks["claim"]> {
    if (line.running !== undefined || line.queue.length > 0) return "not mine";
    const claim = this.#links.claim(delivery);
    if (claim === "claimed") {
      this.#known.add(delivery);
      this.handled(delivery);
    }
    return claim;
  }

  #free(): number {
    return this.#links.maxBufferedEntries - this.#buffered;
  }

  /** Keeps the waiting entries that pass. */
  #keep(line: Line, passes: (delivery: Delivery) => boolean): void {
    const kept = line.queue.filter(passes);
    this.#buffered -= line.queue.length - kept.length;
    line.queue = kept;
  }

  #clear(line: Line): void {
    this.#keep(line, () => false);
    this.#undecided.delete(line);
  }

  /** Begins the line's next entry, if it may begin now. */
  #next(line: Line): void {
    while (this.#accepting && line.running === undefined && !line.stopped) {
      const head = line.queue[0];
      if (head === undefined) return;
      if (head.kind === "accept" || head.kind === "reject") {
        const claim = this.#links.claim(head);
        if (claim === "undecided") {
          this.#undecided.add(line);
          return;
        }
        if (claim === "claimed") {
          this.handled(head);
          continue;
        }
      }
      const listener = this.#listeners.get(head.kind);
      if (listener === undefined) {
        this.#keep(line, (waiting) => waiting !== head);
        skip(line, head);
        continue;
      }
      const { lane } = listener;
      if (lane.active >= lane.limit) {
        lane.waiting.add(line);
        return;
      }
      this.#keep(line, (waiting) => waiting !== head);
      this.#begin(line, head, listener);
    }
  }

  #begin(line: Line, delivery: Delivery, listener: Listener): void {
    const { lane } = listener;
    lane.active += 1;
    line.running = delivery;
    line.acked = () => listener.acked(delivery);
    // Before it starts: a handler may disconnect the client at once, which waits for it.
    const { promise: run, resolve: finished } = Promise.withResolvers<void>();
    if (listener.waitedFor) this.#running.add(run);
    void listener.handle(delivery).then((outcome) => {
      this.#running.delete(run);
      lane.active -= 1;
      line.running = undefined;
      // A line of another log, or of a channel long over, is no longer anybody's.
      if (this.#lines.find(line.channelId) === line) this.#finish(line, delivery, outcome);
      this.#nextOf(lane, line);
      this.#catchUp.look();
      finished();
    });
  }

  #finish(line: Line, delivery: Delivery, outcome: Outcome): void {
    if (outcome === "handled") {
      this.handled(delivery);
      return;
    }
    if (!this.#accepting || this.isHandled(delivery)) return;
    if (outcome === "failed") {
      line.stopped = true;
      this.#clear(line);
    } else if (this.#listeners.get(delivery.kind) !== undefined) {
      insert(line, delivery);
      this.#buffered += 1;
    } else {
      skip(line, delivery);
    }
  }

  /** A place is free: for those who wait first, then for the line that had it. */
  #nextOf(lane: Lane, line: Line): void {
    for (const waiting of lane.waiting) {
      if (lane.active >= lane.limit) break;
      lane.waiting.delete(waiting);
      this.#next(waiting);
    }
    this.#next(line);
  }
}

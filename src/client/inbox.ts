import { type CatchUp, createCatchUp } from "./catch-up.js";
import { type Delivery, isLast } from "./delivery.js";
import { createFlow, type Flow } from "./flow.js";
import type { InboxLinks } from "./inbox-links.js";
import type { IncomingKind, SessionLimits } from "./incoming.js";
import { holds, type Line, skip } from "./line.js";
import { createLineTable } from "./line-table.js";
import { type Lane, type Listener, Listeners, type Outcome } from "./listeners.js";

/**
 * The entries that were delivered and are not handled yet: a line for each channel, one entry
 * of it worked on at a time, so a slow chat blocks only itself.
 *
 * Memory stays bounded without ever pausing the stream: the answers that a handler awaits come
 * over the same stream, so pausing it could wait for itself. A hub that counts what is unacked
 * stops by itself (D5), before the room is full. Where it does not, or its bounds are larger,
 * entries beyond the room are left to the hub's log: the channel is marked as behind, nothing
 * further of it is taken, and once it has drained the session is opened anew. A new session is
 * sent everything after the acked positions (D1), and what is here already is recognised by its
 * seq. So nothing is lost, repeated or put out of order. There a channel may take as much of the
 * room as is free, so a busy one can use most of it and still leaves some for the others.
 */
export class Inbox {
  readonly #links: InboxLinks;
  readonly #listeners = new Listeners();
  readonly #lines = createLineTable();
  #undecided = new Set<Line>();
  /** Stands for the log there is now. */
  #log = {};
  readonly #flow: Flow;
  readonly #catchUp: CatchUp;
  #accepting = true;

  constructor(links: InboxLinks) {
    this.#links = links;
    this.#flow = createFlow(links.bounds, (channelId, seq) => links.setAside(channelId, seq));
    this.#catchUp = createCatchUp(this.#flow.room, () => links.reopen());
  }

  /** A new session: what was left or skipped comes again. own: see ConnectionHooks. */
  sessionStarted(own: boolean, limits: SessionLimits): void {
    this.#accepting = true;
    this.#catchUp.clear();
    this.#flow.begin(limits);
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
    this.#log = {};
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
      this.#skip(line, delivery);
      if (isLast(kind)) this.#lines.ended(channelId);
      return;
    }
    if (holds(line, seq)) {
      this.#flow.aside.kept(line, delivery);
      this.#makeWay();
      return;
    }
    if (this.#catchUp.isBehind(line) || line.stopped) {
      this.#flow.aside.add(line, delivery);
      return;
    }
    const claim = this.#claimOnArrival(line, delivery);
    if (claim === "claimed") return;
    // A requestChat may be what the handlers wait for that hold the room: its answer needs none.
    if (claim !== "undecided" && !this.#flow.hasRoom(line)) {
      this.#catchUp.fellBehind(line);
      this.#flow.aside.add(line, delivery);
      this.#makeWay();
      return;
    }
    delivery.log = this.#log;
    this.#flow.room.insert(line, delivery);
    this.#flow.aside.kept(line, delivery);
    this.#next(line);
    this.#makeWay();
  }

  /** Everything in the channel up to seq is handled; harmless when repeated. */
  handled(delivery: Delivery): void {
    if (delivery.log !== this.#log) return;
    const { channelId, seq, kind } = delivery;
    const line = this.#lines.of(channelId);
    if (isLast(kind)) this.#lines.ended(channelId);
    if (seq <= line.handledSeq) return;
    line.handledSeq = seq;
    while ((line.queue[0]?.seq ?? Infinity) <= seq) this.#flow.room.takeFirst(line);
    this.#links.ack(channelId, seq);
    this.#flow.aside.settle(line);
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
    this.#leave(line, (waiting) => waiting.seq < first);
    this.#catchUp.fellBehind(line);
    return true;
  }

  /** Nobody listens for the listener's kinds any more: what waits of them is not kept. */
  detach(listener: Listener): void {
    const kinds = this.#listeners.detach(listener);
    if (kinds.length === 0) return;
    for (const line of this.#lines.all()) {
      listener.lane.waiting.delete(line);
      const dropped = this.#flow.room.keep(line, (waiting) => !kinds.includes(waiting.kind));
      for (const waiting of dropped) this.#skip(line, waiting);
      this.#next(line);
    }
  }

  /** A requestChat waits, has its receipt, its answer, or was given up. */
  answersChanged(): void {
    this.#makeWay();
    const lines = [...this.#undecided];
    this.#undecided.clear();
    for (const line of lines) this.#next(line);
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#flow.runs.idle();
  }

  /** Takes nothing further and drops what waits, unacked; a later session is sent it again. */
  close(): void {
    this.#accepting = false;
    this.#catchUp.clear();
    this.#flow.aside.begin(undefined);
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
      delivery.log = this.#log;
      this.handled(delivery);
    }
    return claim;
  }

  /**
   * A requestChat may be what a handler or a loop waits for that holds up everything else: its
   * answer must come, though the hub would wait for acks first.
   */
  #makeWay(): void {
    if (this.#links.expectsAnswers()) this.#flow.makeWay(this.#lines.all());
  }

  /** Nobody listens for it: it is left to the hub until somebody does. */
  #skip(line: Line, delivery: Delivery): void {
    skip(line, delivery);
    this.#flow.aside.add(line, delivery);
  }

  /** Keeps the waiting entries that pass, and leaves the others to the hub's log. */
  #leave(line: Line, passes: (delivery: Delivery) => boolean): void {
    for (const waiting of this.#flow.room.keep(line, passes)) this.#flow.aside.add(line, waiting);
  }

  #clear(line: Line): void {
    this.#flow.room.keep(line, () => false);
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
        this.#flow.room.takeFirst(line);
        this.#skip(line, head);
        continue;
      }
      const { lane } = listener;
      if (lane.active >= lane.limit) {
        lane.waiting.add(line);
        return;
      }
      this.#flow.room.takeFirst(line);
      this.#flow.runs.begin(line, head, listener, (outcome) => {
        // A line of another log, or of a channel long over, is no longer anybody's.
        if (this.#lines.find(line.channelId) === line) this.#finish(line, head, outcome);
        this.#nextOf(lane, line);
        this.#catchUp.look();
      });
    }
  }

  #finish(line: Line, delivery: Delivery, outcome: Outcome): void {
    if (outcome === "handled") {
      this.handled(delivery);
      return;
    }
    if (!this.#accepting || this.isHandled(delivery)) return;
    if (outcome === "failed") {
      line.stopped = true;
      this.#undecided.delete(line);
      this.#flow.aside.add(line, delivery);
      this.#leave(line, () => false);
    } else if (this.#listeners.get(delivery.kind) !== undefined) {
      this.#flow.room.insert(line, delivery);
    } else {
      this.#skip(line, delivery);
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

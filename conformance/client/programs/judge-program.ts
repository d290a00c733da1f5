import { type ClientProgram, startClientProgram } from "../client-program.ts";
import type { JsonObject } from "../contract.ts";
import { PATIENCE_MS, type Verdict } from "../judge.ts";
import { type HubStream, type ScriptedHub, startScriptedHub } from "../scripted-hub.ts";
import { acksOf, type Frame, frameOf } from "../session.ts";
import { createWatch, Fault } from "../watch.ts";
import type { ProgramScenario, Trouble } from "./program-scenario.ts";
import { CITIES, createTalk, type Side } from "./talk.ts";

/** Clocks of the two sides tick apart; a pause may be this much shorter than asked for. */
const TOLERANCE = 0.95;
/** Field 99 of a response: a frame of a newer hub. */
const STRANGE = Buffer.from("9a0605120373696e", "hex");

/**
 * Has a conversation with a program that is a provider or a consumer.
 * @param command the program; a consumer is given the cities behind its words
 * @throws Error where it cannot be started
 */
export async function judgeProgram(
  scenario: ProgramScenario,
  side: Side,
  command: readonly string[],
  patienceMs = PATIENCE_MS,
): Promise<Verdict> {
  const begunMs = performance.now();
  const watch = createWatch(patienceMs);
  const { chats, reject } = scenario;
  const talk = createTalk({ side, chats, reject, fault: watch.fault });
  const troubled = new Map<Trouble, Set<string>>();
  let session: HubStream | undefined;
  let exit: { code: number | null } | undefined;
  let notBeforeMs = 0;
  let sentAway = false;
  let registered = side === "consumer";

  function say(json: JsonObject): void {
    // The first response is always the greeting.
    const strangeAlone = scenario.strange && json.sessionStarted === undefined;
    if (strangeAlone) session?.write({ json: {}, unknown: STRANGE });
    session?.write({ json, ...(scenario.strange && { unknown: STRANGE }) });
  }

  /** The trouble that this frame is to have at this moment, if any. */
  function troubleFor(at: Trouble["at"], frame: Frame): Trouble | undefined {
    const name = JSON.stringify([frame.kind, frame.value]);
    return scenario.troubles.find((trouble) => {
      if (trouble.at !== at || (trouble.frame ?? frame.kind) !== frame.kind) return false;
      if (trouble.seq !== undefined && trouble.seq !== frame.value.seq) return false;
      const had = troubled.get(trouble) ?? new Set();
      troubled.set(trouble, had);
      if (had.has(name)) return false;
      had.add(name);
      return trouble.nth === undefined || had.size === trouble.nth;
    });
  }

  function bring({ refuse, goAway, end, forgetPositions, turnAway }: Trouble, frame: Frame): void {
    if (forgetPositions) talk.forgetPositions();
    if (refuse !== undefined) {
      say({ requestId: frame.requestId, error: { message: "As the scenario has it.", ...refuse } });
      return;
    }
    const stream = session;
    if (goAway !== undefined) {
      say({ goAway });
      session = undefined;
      sentAway = goAway.reconnect !== true;
      const waitMs = Number.parseFloat(String(goAway.reconnectAfter ?? "0")) * 1000;
      notBeforeMs = performance.now() + waitMs * TOLERANCE;
      stream?.end(end);
      return;
    }
    session = undefined;
    if (turnAway !== undefined) hub.turnAway(turnAway);
    stream?.connection.drop();
  }

  /** @returns whether that has brought trouble */
  function takeAcks(request: JsonObject): boolean {
    return acksOf(request).some(({ channelId, seq }) => {
      talk.ack(channelId, seq);
      const ack = { requestId: "", kind: "ack", value: { channelId, seq }, arrivedMs: 0 };
      const trouble = troubleFor("acked", ack);
      if (trouble !== undefined) bring(trouble, ack);
      return trouble !== undefined;
    });
  }

  function requested(request: JsonObject): void {
    const frame = frameOf(request);
    const { requestId = "" } = request;
    if (frame === undefined) {
      if (takeAcks(request)) return;
      if (request.heartbeat === true) say({ requestId });
      return;
    }
    if (frame.kind === "chatHistory") {
      if (takeAcks(request)) return;
      say({ requestId, chatHistory: talk.history() });
      return;
    }
    const lost = troubleFor("arrived", frame);
    if (lost !== undefined) {
      bring(lost, frame);
      return;
    }
    const { receipt, news } = talk.store(frame);
    if (takeAcks(request)) return;
    const unheard = troubleFor("stored", frame);
    if (unheard !== undefined) {
      bring(unheard, frame);
      return;
    }
    say({ receipts: [{ ...receipt, requestId }] });
    for (const delivered of news) say(delivered);
    const after = troubleFor("answered", frame);
    if (after !== undefined) bring(after, frame);
  }

  function begin(stream: HubStream): void {
    if (sentAway) watch.fault("it opened another session, although it was told to stay away");
    if (performance.now() < notBeforeMs) watch.fault("it came back before reconnect_after");
    if (stream.metadata["claw-receive"] !== "manual")
      watch.fault("it opened a session that is not manual");
    if (scenario.refusedLogin !== undefined) {
      sentAway = true;
      stream.end(scenario.refusedLogin);
      return;
    }
    session = stream;
    const limits = { maxUnackedPerChannel: 256, maxUnacked: 1024, heartbeatInterval: "10s" };
    const agentId = stream.metadata["claw-agent-id"] ?? "";
    say({ sessionStarted: { sessionId: "s", storeEpoch: "e", agentId, limits } });
    // A provider is asked once its service is there.
    if (registered) for (const delivered of talk.backlog()) say(delivered);
  }

  const hub: ScriptedHub = await startScriptedHub({
    opened: (stream) => {
      begin(stream);
      watch.changed();
    },
    requested(stream, request) {
      if (stream === session) requested(request);
      watch.changed();
    },
    halfClosed(stream) {
      if (stream === session) session = undefined;
      stream.end();
    },
    called(method, request) {
      if (method === "registerService" && !registered) {
        registered = true;
        for (const delivered of talk.backlog()) say(delivered);
      }
      const offered = typeof request.service === "object" ? request.service : {};
      return method === "registerService" ? { service: { ...offered, openChannelId: "next" } } : {};
    },
    turnedAway: watch.changed,
  });
  let program: ClientProgram | undefined;
  try {
    program = await startClientProgram({
      command: side === "consumer" ? [...command, ...CITIES] : command,
      hub: `127.0.0.1:${hub.port}`,
      env: { CLAW_AGENT: `weather-${side}`, CLAW_SERVICE: "weather-svc", CLAW_API_KEY: "judged" },
      event: () => {},
      exited(code, signal) {
        exit = { code };
        watch.over(`the program ended by itself, with ${signal ?? `exit code ${code}`}`);
      },
    });
    await goThrough(program);
    return verdict(undefined);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return verdict(`${scenario.must} But ${error.message} (${talk.soFar()}).`);
  } finally {
    await program?.end();
    hub.close();
  }

  async function goThrough(running: ClientProgram): Promise<void> {
    if (scenario.ends === "well") {
      await watch.until("the end of the conversation", () => talk.isOver() || undefined);
      if (side === "provider") running.signal("SIGTERM");
    }
    const { code } = await watch.until("its end", () => exit);
    watch.check();
    if (scenario.ends === "well" && code !== 0) throw new Fault(`it ended with exit code ${code}`);
    if (scenario.ends === "badly" && code === 0) throw new Fault("it ended as if all were well");
    const silent = CITIES.find((city) => !running.printed.includes(city));
    if (scenario.ends === "well" && silent !== undefined) {
      throw new Fault(`it printed nothing about ${silent}`);
    }
  }

  function verdict(sentence: string | undefined): Verdict {
    const ms = Math.round(performance.now() - begunMs);
    if (sentence === undefined) return { scenario: scenario.name, passed: true, ms };
    const complaints = program?.complaints ?? "";
    return { scenario: scenario.name, passed: false, sentence, complaints, ms };
  }
}

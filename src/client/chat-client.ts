import { status } from "@grpc/grpc-js";
import type { CallBounds } from "./call-bounds.js";
import type { CallOptions } from "./call-options.js";
import type { Delivery } from "./delivery.js";
import { EntryView } from "./entry-view.js";
import { ChatHubError, unexpectedAnswer } from "./errors.js";
import { historyPageOf, receiptOf } from "./from-wire.js";
import { handlerListener, kindsOf } from "./handler-listener.js";
import { type Hooks, hooksOf } from "./hooks.js";
import type {
  ConnectionEvent,
  Handlers,
  IncomingByKind,
  IncomingEntry,
  IncomingKind,
  IncomingMessage,
  IncomingRequest,
} from "./incoming.js";
import { entryActionsOf, incomingEntryOf, ofKind } from "./incoming-entry.js";
import { Lifecycle } from "./lifecycle.js";
import { type Lane, newLane } from "./listeners.js";
import { listChannels, listServices, registerService, unregisterService } from "./listings.js";
import { type ChatClientOptions, type Settings, settingsOf } from "./options.js";
import { requestAndWait } from "./request-chat.js";
import {
  acceptFrame,
  endFrame,
  historyFrame,
  messageFrame,
  type RequestFrame,
  rejectFrame,
  requestFrame,
} from "./to-wire.js";
import type {
  AcceptInput,
  ChannelFilter,
  ChannelInfo,
  ChatAnswer,
  ChatRequestInput,
  EndInput,
  HistoryPage,
  HistoryQuery,
  MessageInput,
  Receipt,
  RejectInput,
  ServiceFilter,
  ServiceInfo,
  ServiceOffer,
} from "./vocabulary.js";

/**
 * An agent's client of a chat hub.
 *
 * It reconnects by itself, for ever; what has no receipt yet is then sent again under the
 * same key, so it is stored once (M2). Every call rejects with a ChatHubError: the hub's
 * refusal, or TIMEOUT, ABORTED_BY_CALLER, CLOSED or SUPERSEDED.
 *
 * Entries are handled one at a time per channel and several channels at once. One is acked
 * when its handler has finished or its loop asks for the next. A kind nobody listens for is
 * left unacked at the hub, and comes when somebody does; but acks are cumulative, so a later
 * entry of the same channel that is handled covers it. Attach listeners before connect().
 */
export class ChatClient implements AsyncDisposable {
  /** Who is speaking. */
  readonly agentId: string;
  readonly #settings: Settings;
  readonly #life: Lifecycle;
  readonly #handlerLane: Lane;
  readonly #hooks: Hooks;
  readonly #actions = entryActionsOf(this, (delivery) => this.#life.inbox.handled(delivery));

  /**
   * Connects to nothing yet.
   * @throws ChatHubError BAD_URL, INVALID_ID or BAD_OPTION
   */
  constructor(options: ChatClientOptions) {
    this.#settings = settingsOf(options);
    this.agentId = this.#settings.agentId;
    this.#handlerLane = newLane(this.#settings.maxConcurrentChannels);
    this.#hooks = hooksOf(options);
    this.#life = new Lifecycle(this.#settings, this.#hooks);
  }

  /**
   * Opens the session; resolves when the hub has greeted. Tries again until its timeout where
   * the hub is not there; rejects at once where it refuses the agent.
   */
  async connect(options: CallOptions = {}): Promise<void> {
    await this.#life.connect(this.#bounds("connect", options));
  }

  /**
   * Ends the session and leaves nothing open. Waits up to 5 s for outstanding answers and
   * running handlers, so a handler must not await it. Loops end; handlers stay attached and
   * go on after another connect(). Harmless when repeated.
   */
  async disconnect(): Promise<void> {
    await this.#life.disconnect();
  }

  /** The same as disconnect(), for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  /** Offers a service, or updates it (S1). Needs no session, but ends with disconnect(). */
  registerService(service: ServiceOffer, options: CallOptions = {}): Promise<ServiceInfo> {
    return registerService(this.#unary("registerService", options), service);
  }

  /** Withdraws a service; its pending requests are rejected as "withdrawn" (S2). */
  unregisterService(serviceId: string, options: CallOptions = {}): Promise<void> {
    return unregisterService(this.#unary("unregisterService", options), serviceId);
  }

  /** The services that pass the filter, ordered by id; reads page after page. */
  listServices(
    filter: ServiceFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<ServiceInfo, void, undefined> {
    return listServices(this.#unary("listServices", options), filter);
  }

  /** This agent's channels that pass the filter, newest first; reads page after page. */
  listChannels(
    filter: ChannelFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<ChannelInfo, void, undefined> {
    return listChannels(this.#unary("listChannels", options), filter);
  }

  /**
   * Asks for a chat and waits for the answer, by default as long as the provider has and 30 s.
   * The answer goes to this call and to no listener, and is acked. Giving the call up leaves
   * the request pending: endChat() takes it back.
   * @returns rejects with CHANNEL_ENDED where the request was taken back meanwhile, with
   * STORE_CHANGED where the hub has another log, with WRONG_MODE in a client that only sends
   */
  async requestChat(request: ChatRequestInput, options: CallOptions = {}): Promise<ChatAnswer> {
    this.#mustReceive("requestChat");
    return requestAndWait({
      request,
      options,
      agentId: this.agentId,
      answers: this.#life.answers,
      recallAnswer: (channelId) => this.#life.inbox.recallAnswer(channelId),
      send: (input, inner) => this.sendRequest(input, inner),
      channel: async (channelId, inner) =>
        (await this.getHistory({ channelId, limit: 1 }, inner)).channel,
    });
  }

  /** Asks for a chat without waiting for the answer, which is delivered like any entry (C2). */
  async sendRequest(request: ChatRequestInput, options: CallOptions = {}): Promise<Receipt> {
    return this.#send("sendRequest", requestFrame(request), options);
  }

  /**
   * Agrees to a chat: by its channel, or by the consumer whose one pending request is meant (C3).
   * The latter is not sent again after a lost connection, but rejects with UNKNOWN_OUTCOME.
   */
  async acceptChat(answer: AcceptInput, options: CallOptions = {}): Promise<Receipt> {
    return this.#answer("acceptChat", acceptFrame(answer), options);
  }

  /** Declines a chat; named like one to accept (C3). */
  async rejectChat(answer: RejectInput, options: CallOptions = {}): Promise<Receipt> {
    const receipt = await this.#answer("rejectChat", rejectFrame(answer), options);
    this.#life.inbox.ended(receipt.channelId);
    return receipt;
  }

  /** Says something; resolves when it is stored durably, not when it was read (M1). */
  async sendMessage(message: MessageInput, options: CallOptions = {}): Promise<Receipt> {
    return this.#send("sendMessage", messageFrame(message), options);
  }

  /** Ends a chat, or takes a pending request back (C4, C6). */
  async endChat(end: EndInput, options: CallOptions = {}): Promise<Receipt> {
    const receipt = await this.#send("endChat", endFrame(end), options);
    this.#life.inbox.ended(receipt.channelId);
    this.#life.answers.ended(receipt.channelId);
    return receipt;
  }

  /** A page of messages, oldest first: the newest page unless beforeSeq or afterSeq is given. */
  async getHistory(query: HistoryQuery, options: CallOptions = {}): Promise<HistoryPage> {
    const bounds = this.#bounds("getHistory", options);
    const answer = await this.#life.call(historyFrame(query), bounds);
    if (answer.kind === "page" && answer.page.channel !== undefined) {
      return historyPageOf(answer.page, answer.page.channel);
    }
    throw unexpectedAnswer("getHistory");
  }

  /**
   * Messages, one after the other. Listens from now on, until the loop is left or the client
   * disconnects. Asking for the next message acks the one before; leaving the loop acks nothing.
   * Throws SUPERSEDED, or the refusal, where the client cannot come back.
   */
  messages(): AsyncIterableIterator<IncomingMessage, undefined> {
    return this.#view("message");
  }

  /** Requests for chats with this agent, in the manner of messages(). */
  requests(): AsyncIterableIterator<IncomingRequest, undefined> {
    return this.#view("request");
  }

  /**
   * Calls a handler for each message. It is acked when the handler returns, or the promise it
   * returned is fulfilled; where it throws, see listen().
   * @returns stops listening
   */
  listenForMessages(handler: (message: IncomingMessage) => void | Promise<void>): () => void {
    return this.listen({ message: handler });
  }

  /**
   * Calls a handler for each entry of the given kinds. One that throws is called again with
   * the same entry, five times in all; then onFailed is told, and its channel stands still
   * until the next session, unless onFailed acks the entry.
   * @returns stops listening; what waits is left to a later listener
   * @throws ChatHubError ALREADY_LISTENING where a kind has a listener, WRONG_MODE in a client
   * that only sends
   */
  listen(handlers: Handlers): () => void {
    this.#mustReceive("listen");
    const { inbox } = this.#life;
    const listener = handlerListener({
      lane: this.#handlerLane,
      handlers,
      convert: (delivery) => this.#convert(delivery),
      isHandled: (delivery) => inbox.isHandled(delivery),
      onFailed: this.#hooks.onFailed,
      leaving: () => this.#life.leaving,
    });
    inbox.attach(kindsOf(handlers), listener);
    return () => inbox.detach(listener);
  }

  /** How the connection comes and goes: the state now, then every change. */
  connection(): AsyncGenerator<ConnectionEvent, void, undefined> {
    return this.#life.events.subscribe();
  }

  #view<Kind extends IncomingKind>(kind: Kind): EntryView<IncomingByKind[Kind]> {
    this.#mustReceive(`${kind}s`);
    const { inbox, views } = this.#life;
    const view = new EntryView<IncomingByKind[Kind]>({
      convert: (delivery) => ofKind(kind, this.#convert(delivery)),
      detach: () => {
        inbox.detach(view);
        views.delete(view);
      },
    });
    inbox.attach([kind], view);
    views.add(view);
    return view;
  }

  #convert(delivery: Delivery): IncomingEntry {
    return incomingEntryOf(delivery, this.#actions);
  }

  /** An answered request is handled, so that its chat can go on while a loop still holds it. */
  async #answer(what: string, frame: RequestFrame, options: CallOptions): Promise<Receipt> {
    const receipt = await this.#send(what, frame, options);
    this.#life.inbox.requestAnswered(receipt.channelId);
    return receipt;
  }

  async #send(what: string, frame: RequestFrame, options: CallOptions): Promise<Receipt> {
    const answer = await this.#life.call(frame, this.#bounds(what, options));
    if (answer.kind === "receipt") return receiptOf(answer.receipt);
    throw unexpectedAnswer(what);
  }

  #unary(what: string, options: CallOptions) {
    return {
      stub: () => this.#life.stub(),
      gone: this.#life.gone,
      settings: this.#settings,
      bounds: this.#bounds(what, options),
    };
  }

  #bounds(what: string, { signal, timeoutMs }: CallOptions): CallBounds {
    return { what, signal, timeoutMs: timeoutMs ?? this.#settings.timeoutMs };
  }

  #mustReceive(what: string): void {
    if (this.#settings.receive === "manual") return;
    throw new ChatHubError({
      code: status.FAILED_PRECONDITION,
      reason: "WRONG_MODE",
      message: `${what} needs a client that receives: leave out receive: "none"`,
    });
  }
}

/** The package's entry point: a client for agents. */

export type { CallOptions } from "./call-options.js";
export { ChatClient } from "./chat-client.js";
export { ChatHubError } from "./errors.js";
export type * from "./incoming.js";
export type { ChatClientOptions, TracedFrame } from "./options.js";
export { type QuickSendOptions, quickSend } from "./quick-send.js";
export type * from "./vocabulary.js";

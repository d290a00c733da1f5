import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { type Authenticator, NO_STORE, type RefusedLogin } from "../auth/authenticator.js";
import type { Principal } from "../auth/principal.js";
import type { Caller } from "../hub/credentials.js";
import { AGENT_ID_KEY, AUTHORIZATION_KEY } from "../protocol/call-metadata.js";
import { isValidId } from "../protocol/ids.js";
import type { Refusal } from "../protocol/refusals.js";
import type { AuditNotes } from "./audit-notes.js";
import { claimedAgent } from "./call-identity.js";
import type { CredentialWatch, EndSession } from "./credential-watch.js";
import { SHUTTING_DOWN } from "./farewells.js";
import type { Turns } from "./turns.js";

/** A call, as far as it says who it comes from. */
export interface IncomingCall {
  metadata: Metadata;
  /** Its address and port. */
  getPeer(): string;
  /** What TLS says of it. */
  getAuthContext: ServerInterceptingCallInterface["getAuthContext"];
}

/** What the client certificate of a call says. */
export interface ClientCertificates {
  /** Its URI and DNS names; none where there is none, or it was not verified. */
  namesOf(call: IncomingCall): readonly string[];
  expiresAtMsOf(call: IncomingCall): number | undefined;
}

/** Who a call comes from, or why it goes no further. */
export type Identified = { caller: Caller; principal: Principal } | { refusal: Refusal };

/** Finds out who calls, and notices when that is no longer so. */
export interface Logins {
  /**
   * At once, where the hub asks for no credentials. What was found out for the same call before is
   * only held against the keys and the clock. Never rejects.
   */
  identify(call: IncomingCall): Identified | Promise<Identified>;
  /** Watches the credentials of a session until the returned function is called. */
  watch(principal: Principal, end: EndSession): () => void;
  /** Watches nobody any more. */
  stop(): void;
}

/** Whoever says that he is an agent is that agent (I2). */
export function openLogins(): Logins {
  return {
    identify(call) {
      const claimed = claimedAgent(call.metadata);
      if ("refusal" in claimed) return claimed;
      const { agentId } = claimed;
      const credential = { kind: "open", id: agentId } as const;
      return identified({ agentId, role: "agent", credential }, addressOf(call));
    },
    watch: () => () => {},
    stop() {},
  };
}

/** Agents that are remembered as named, so that their next login needs no database. */
const MAX_NAMED = 100_000;

/**
 * Asks for credentials.
 * @param of.certificates undefined: no client is asked for one
 */
export function credentialLogins(of: {
  authenticator: Authenticator;
  watch: CredentialWatch;
  audit: AuditNotes;
  turns: Turns;
  certificates: ClientCertificates | undefined;
  isStopping: () => boolean;
  /** Told why credentials could not be looked at. */
  problem: (error: unknown) => void;
}): Logins {
  const { authenticator, watch, audit } = of;
  const named = new Set<string>();
  /** What was found out before the request was read. */
  const known = new WeakMap<Metadata, Identified>();

  async function login(call: IncomingCall): Promise<Identified> {
    const address = addressOf(call);
    const agentIds = textsOf(call.metadata, AGENT_ID_KEY);
    const found = await authenticator.authenticate({
      authorization: textsOf(call.metadata, AUTHORIZATION_KEY),
      agentIds,
      certificateNames: of.certificates?.namesOf(call) ?? [],
      certificateExpiresAtMs: of.certificates?.expiresAtMsOf(call),
      address,
    });
    if (of.isStopping()) return { refusal: SHUTTING_DOWN };
    if ("refusal" in found) {
      note(found, address, agentIds);
      return { refusal: found.refusal };
    }
    const refusal = await makeKnown(found.principal.agentId);
    return refusal === undefined ? identified(found.principal, address) : { refusal };
  }

  function note({ failure, keyId }: RefusedLogin, address: string, [asked = ""]: string[]): void {
    if (failure === undefined) return;
    audit.note({
      event: "login_refused",
      // Nobody has shown who it was; this is who it wanted to be.
      actor: "",
      agentId: isValidId(asked) ? asked : "",
      channelId: "",
      address,
      detail: keyId === undefined ? failure : `${failure}, key ${keyId}`,
    });
  }

  /** From its first login on an agent exists for others (I3). */
  function makeKnown(agentId: string): Promise<Refusal | undefined> {
    if (named.has(agentId)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      of.turns.submit<void>({
        async run({ tx }) {
          if (!(await tx.knowsAgent(agentId))) await tx.nameAgent(agentId);
        },
        done() {
          if (named.size >= MAX_NAMED) named.clear();
          named.add(agentId);
          resolve(undefined);
        },
        failed: resolve,
      });
    });
  }

  /** Its request may have taken its time: who was let in before must still be good now. */
  async function stillGood(identity: Identified): Promise<Identified> {
    if ("refusal" in identity) return identity;
    try {
      const refusal = await watch.endOf(identity.principal);
      return refusal === undefined ? identity : { refusal };
    } catch (error) {
      of.problem(error);
      return { refusal: NO_STORE };
    }
  }

  return {
    identify(call) {
      const before = known.get(call.metadata);
      if (before !== undefined) return stillGood(before);
      return login(call).then((identity) => {
        known.set(call.metadata, identity);
        return identity;
      });
    },
    watch: watch.add,
    stop: watch.stop,
  };
}

function identified(principal: Principal, address: string): Identified {
  const { agentId, role } = principal;
  return { principal, caller: { agentId, role, address } };
}

function textsOf(metadata: Metadata, key: string): string[] {
  return metadata.get(key).map(String);
}

/** The IP address of a caller, without its port. */
function addressOf(call: IncomingCall): string {
  return call.getPeer().replace(/:\d+$/, "");
}

import { X509Certificate } from "node:crypto";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

/** One entry of the text form: its kind, and its value plain or as a JSON string. */
const ENTRY = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/**
 * The names that the client certificate of a call gives its holder: its subject alternative names
 * of the kinds URI and DNS, in their order. Nothing where the client showed none, or one that no
 * authority of the hub's has signed.
 */
export function certificateNames(call: TlsCall): string[] {
  return namesIn(certificateOf(call)?.subjectAltName ?? "");
}

/** When the client certificate of a call ends; undefined where there is none. */
export function certificateExpiresAtMs(call: TlsCall): number | undefined {
  const certificate = certificateOf(call);
  return certificate === undefined ? undefined : Date.parse(certificate.validTo);
}

type TlsCall = Pick<ServerInterceptingCallInterface, "getAuthContext">;

function certificateOf(call: TlsCall): X509Certificate | undefined {
  // Only a verified certificate is in it.
  const { sslPeerCertificate } = call.getAuthContext();
  return sslPeerCertificate && new X509Certificate(sslPeerCertificate.raw);
}

/**
 * Reads the text form that Node.js gives of subject alternative names. A value with a comma, a
 * quote or anything else that could be taken for a further entry comes quoted, as a JSON string;
 * no agent id needs that, so such a name is passed over as a whole. Where the text is of another
 * form, it has no names.
 */
export function namesIn(subjectAltName: string): string[] {
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < subjectAltName.length) {
    const [, kind, value = ""] = ENTRY.exec(subjectAltName) ?? [];
    if (kind === undefined) return [];
    if (kind === "URI" || kind === "DNS") {
      if (!value.startsWith('"')) names.push(value);
    }
  }
  return names;
}

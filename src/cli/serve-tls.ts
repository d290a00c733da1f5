import type { HubOptions } from "../server/hub.js";
import { UsageError } from "./exit.js";
import type { Settings } from "./settings.js";

/** What a hub is told about TLS. */
export type TlsOptions = Pick<HubOptions, "tls">;

/**
 * What the settings of `serve` mean for TLS.
 * @throws UsageError where half of what it takes is set
 */
export function tlsOptions(settings: Settings<"tlsCert" | "tlsKey" | "clientCa">): TlsOptions {
  const { tlsCert: certFile, tlsKey: keyFile, clientCa: clientCaFile } = settings;
  if (certFile !== undefined && keyFile !== undefined) {
    return { tls: { certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) } };
  }
  if (certFile !== undefined || keyFile !== undefined) {
    throw new UsageError("--tls-cert and --tls-key belong together: a certificate and its key.");
  }
  if (clientCaFile !== undefined) {
    throw new UsageError("--client-ca counts for nothing without --tls-cert and --tls-key.");
  }
  return {};
}

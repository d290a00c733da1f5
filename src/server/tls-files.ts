import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import { ListenError } from "./listen-address.js";

/** Where a hub's certificates are, each a PEM file. */
export interface TlsFiles {
  /** The server's certificate, with those between it and its authority behind it. */
  certFile: string;
  /** Its private key, without a passphrase. */
  keyFile: string;
  /**
   * The authorities whose client certificates are believed, and no others. Without it no client
   * is asked for a certificate.
   */
  clientCaFile?: string;
  /** How often the files are looked at, in milliseconds. Default 1000. */
  lookEveryMs?: number;
}

/** What the files hold. */
export interface TlsContents {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
}

/**
 * Reads the files and checks that they belong together.
 * @throws ListenError that names what cannot be used
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsContents> {
  try {
    const contents = await readAll(files);
    check(contents);
    return contents;
  } catch (cause) {
    throw new ListenError(`the TLS files cannot be used: ${messageOf(cause)}`, { cause });
  }
}

const LOOK_EVERY_MS = 1_000;

/**
 * Looks at the files again and again, by their contents: whatever way they are replaced by is
 * noticed. What has changed counts when it is the same at two looks, so that no half of a file
 * is taken; and when it cannot be used, what was there before is kept and a warning logged.
 * @param current what is in use
 * @returns stops it
 */
export function watchTlsFiles(
  files: TlsFiles,
  {
    current,
    changed,
    log,
  }: {
    current: TlsContents;
    changed: (contents: TlsContents) => void;
    log: Logger;
  },
): () => void {
  let inUse = fingerprint(current);
  let before = inUse;
  let settled = inUse;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    let contents: TlsContents | undefined;
    let seen: string;
    try {
      contents = await readAll(files);
      seen = fingerprint(contents);
    } catch (error) {
      seen = messageOf(error);
    }
    if (stopped) return;
    if (seen === before && seen !== settled) {
      settled = seen;
      take(contents, seen);
    }
    before = seen;
    wait();
  }
  function take(contents: TlsContents | undefined, seen: string): void {
    if (seen === inUse) return;
    try {
      if (contents === undefined) throw new Error(seen);
      check(contents);
      changed(contents);
      inUse = seen;
      const { subject, validTo } = new X509Certificate(contents.cert);
      log.info({ subject, validTo }, "new TLS files are in use");
    } catch (error) {
      log.warn({ err: error }, "the new TLS files cannot be used; the former stay in use");
    }
  }
  function wait(): void {
    timer = setTimeout(look, files.lookEveryMs ?? LOOK_EVERY_MS).unref();
  }
  wait();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function readAll({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<TlsContents> {
  const [cert, key, ca] = await Promise.all([
    readFile(certFile),
    readFile(keyFile),
    clientCaFile === undefined ? undefined : readFile(clientCaFile),
  ]);
  return { cert, key, ...(ca && { ca }) };
}

function fingerprint({ cert, key, ca }: TlsContents): string {
  return [cert, key, ca].map((file) => file?.toString("base64") ?? "").join(" ");
}

/** @throws Error where a file is no PEM, or key and certificate are no pair */
function check(contents: TlsContents): void {
  createSecureContext(contents);
  if (contents.ca === undefined) return;
  // Node.js passes over what it cannot read here, and would then trust nobody or only some.
  const text = contents.ca.toString("latin1");
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const begun = text.match(/-----BEGIN /g) ?? [];
  if (blocks.length === 0 || blocks.length !== begun.length) {
    throw new Error("the client CA file is not made of whole PEM certificates");
  }
  for (const block of blocks) new X509Certificate(block);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

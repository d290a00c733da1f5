import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private certificate authority, and a server certificate for localhost that it signed. */
export interface TestCertificate {
  rootCerts: Buffer;
  serverKey: Buffer;
  serverCert: Buffer;
}

/** Makes both with the openssl command. */
export function makeCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-tls-"));
  const openssl = (...args: string[]) => {
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    openssl(
      ...["req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"],
      ...["-subj", "/CN=Test authority"],
    );
    openssl(
      ...["req", "-x509", ...newKey, "-keyout", "server.key", "-out", "server.pem", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key"],
    );
    const read = (name: string) => readFileSync(join(folder, name));
    return {
      rootCerts: read("ca.pem"),
      serverKey: read("server.key"),
      serverCert: read("server.pem"),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

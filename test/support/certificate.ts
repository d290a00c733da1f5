import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its key, as PEM files and as their contents. */
export interface TestCertificate {
  certFile: string;
  keyFile: string;
  cert: Buffer;
  key: Buffer;
}

/** A private certificate authority. */
export interface TestAuthority {
  /** Where its files are. */
  folder: string;
  caFile: string;
  /** The same as contents. */
  rootCerts: Buffer;
  /**
   * Signs a certificate.
   * @param names subject alternative names, such as `DNS: "localhost"`, in a list because their order counts
   * @param extensions further lines of OpenSSL's configuration
   */
  issue(
    name: string,
    names: [kind: string, value: string][],
    extensions?: string[],
  ): TestCertificate;
  /** Removes its files. */
  remove(): void;
}

/** Where the hubs of tests are. */
export const LOCALHOST: [string, string][] = [
  ["DNS", "localhost"],
  ["IP", "127.0.0.1"],
];

/** Makes an authority with the openssl command. */
export function makeAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-tls-"));
  const openssl = (...args: string[]) => {
    execFileSync("openssl", ["req", "-x509", "-days", "2", "-nodes", ...NEW_KEY, ...args], {
      cwd: folder,
      stdio: "pipe",
    });
  };
  const file = (name: string) => join(folder, name);
  openssl("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority");
  return {
    folder,
    caFile: file("ca.pem"),
    rootCerts: readFileSync(file("ca.pem")),
    issue(name, names, extensions = []) {
      const [certFile, keyFile] = [file(`${name}.pem`), file(`${name}.key`)];
      writeFileSync(file("names.cnf"), configOf(names, extensions));
      openssl(
        ...["-keyout", keyFile, "-out", certFile, "-subj", `/CN=${name}`],
        ...["-config", "names.cnf", "-extensions", "ext", "-CA", "ca.pem", "-CAkey", "ca.key"],
      );
      return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

function configOf(names: [string, string][], extensions: string[]): string {
  return [
    ...["[req]", "distinguished_name = dn", "[dn]", "[ext]"],
    "basicConstraints = critical,CA:FALSE",
    ...(names.length > 0 ? ["subjectAltName = @names"] : []),
    ...extensions,
    "[names]",
    ...names.map(([kind, value], index) => `${kind}.${index + 1} = ${value}`),
    "",
  ].join("\n");
}

import { once } from "node:events";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { credentials, makeClientConstructor, Server, type sendUnaryData } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChatHubClient } from "../../src/protocol/wire.js";
import { certificateNames, namesIn } from "../../src/server/certificate-names.js";
import { createConnections } from "../../src/server/connections.js";
import { type Edge, openEdge } from "../../src/server/edge.js";
import { ListenError } from "../../src/server/hub.js";
import {
  LOCALHOST,
  makeAuthority,
  type TestAuthority,
  type TestCertificate,
} from "../support/certificate.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { SKIP_OPENSSL } from "../support/tools.js";

describe.skipIf(SKIP_OPENSSL)("with openssl: TLS", () => {
  let authority: TestAuthority;
  let first: TestCertificate;
  let hub: TestHub | undefined;
  beforeEach(() => {
    authority = makeAuthority();
    first = authority.issue("first", LOCALHOST);
  });
  afterEach(async () => {
    await closeAgents();
    await hub?.stop();
    hub = undefined;
    authority.remove();
  });

  /** A hub whose warnings and news are heard. */
  async function startHub(tls: { certFile: string; keyFile: string; clientCaFile?: string }) {
    const said: { level: number; msg: string }[] = [];
    const heard = new Set<() => void>();
    const log = pino(
      { level: "info" },
      {
        write(line: string) {
          said.push(JSON.parse(line));
          for (const look of heard) look();
        },
      },
    );
    hub = await startTestHub({ tls: { ...tls, lookEveryMs: 50 }, log });
    return {
      address: hub.address,
      /** Resolves when the hub has logged it once more. */
      says(word: string): Promise<void> {
        const from = said.length;
        return new Promise((resolve) => {
          heard.add(() => {
            if (said.slice(from).some(({ msg }) => msg.includes(word))) resolve();
          });
        });
      },
    };
  }

  async function serverName(address: string): Promise<string> {
    const socket = await handshake(address);
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  async function handshake(address: string, more: object = {}): Promise<TLSSocket> {
    const port = Number(address.split(":")[1]);
    const ca = authority.rootCerts;
    const to = { host: "127.0.0.1", servername: "localhost", port };
    const socket = connectTls({ ...to, ca, ALPNProtocols: ["h2"], ...more });
    await once(socket, "secureConnect");
    return socket;
  }

  function rename(certificate: TestCertificate, to: TestCertificate): void {
    renameSync(certificate.keyFile, to.keyFile);
    renameSync(certificate.certFile, to.certFile);
  }

  test("a new certificate is for new connections; a session goes on over its old one", async () => {
    const { address, says } = await startHub(first);
    const agent = openAgent(
      address,
      "alice",
      "manual",
      undefined,
      credentials.createSsl(authority.rootCerts),
    );
    await agent.next("sessionStarted");
    expect(await serverName(address)).toBe("first");
    const changed = says("new TLS files are in use");
    rename(authority.issue("second", LOCALHOST), first);
    await changed;
    expect(await serverName(address)).toBe("second");
    await agent.settled();
  });

  test("files behind a symbolic link that is turned to another folder are noticed", async () => {
    const link = join(authority.folder, "current");
    for (const name of ["one", "two"]) {
      const folder = join(authority.folder, name);
      mkdirSync(folder);
      const { cert, key } = authority.issue(`in-${name}`, LOCALHOST);
      writeFileSync(join(folder, "tls.crt"), cert);
      writeFileSync(join(folder, "tls.key"), key);
    }
    symlinkSync("one", link);
    const { address, says } = await startHub({
      certFile: join(link, "tls.crt"),
      keyFile: join(link, "tls.key"),
    });
    expect(await serverName(address)).toBe("in-one");
    const changed = says("new TLS files are in use");
    symlinkSync("two", `${link}.new`);
    renameSync(`${link}.new`, link);
    await changed;
    expect(await serverName(address)).toBe("in-two");
  });

  test("files that cannot be used leave the former in use, and are taken once they can", async () => {
    const { address, says } = await startHub({ ...first, clientCaFile: authority.caFile });
    const second = authority.issue("second", LOCALHOST);
    for (const spoil of [
      () => writeFileSync(first.certFile, second.cert),
      () => writeFileSync(first.certFile, second.cert.subarray(0, 200)),
      () => renameSync(first.certFile, `${first.certFile}.away`),
      () => {
        writeFileSync(first.certFile, first.cert);
        writeFileSync(authority.caFile, authority.rootCerts.subarray(0, 300));
      },
    ]) {
      const refused = says("cannot be used");
      spoil();
      await refused;
      expect(await serverName(address)).toBe("first");
    }
    const changed = says("new TLS files are in use");
    writeFileSync(authority.caFile, authority.rootCerts);
    rename(second, first);
    await changed;
    expect(await serverName(address)).toBe("second");
  });

  test("I2: a hub does not start on TLS files of no use, and says which", async () => {
    const other = authority.issue("other", LOCALHOST);
    const noCa = join(authority.folder, "empty.pem");
    writeFileSync(noCa, "");
    for (const [tls, why] of [
      [{ ...first, keyFile: other.keyFile }, "mismatch"],
      [{ ...first, certFile: `${first.certFile}.none` }, "no such file"],
      [{ ...first, clientCaFile: noCa }, "client CA"],
    ] as const) {
      const start = startTestHub({ tls });
      await expect(start).rejects.toThrow(ListenError);
      await expect(start).rejects.toThrow(why);
    }
  });

  test("plain text, no ALPN and an old TLS version get nowhere on a TLS port", async () => {
    const { address } = await startHub(first);
    const plain = new ChatHubClient(address, credentials.createInsecure());
    await expect(
      new Promise((_, reject) => plain.waitForReady(Date.now() + 300, (error) => reject(error))),
    ).rejects.toThrow();
    plain.close();
    const noAlpn = await handshake(address, { ALPNProtocols: undefined });
    noAlpn.resume();
    await once(noAlpn, "close");
    await expect(
      handshake(address, { maxVersion: "TLSv1.1", minVersion: "TLSv1.1" }),
    ).rejects.toThrow();
  });

  test("a TLS session is not resumed: whoever comes is verified anew", async () => {
    const { address } = await startHub({ ...first, clientCaFile: authority.caFile });
    const before = await handshake(address, { maxVersion: "TLSv1.2" });
    const session = before.getSession();
    before.destroy();
    const again = await handshake(address, { maxVersion: "TLSv1.2", session });
    expect(again.isSessionReused()).toBe(false);
    again.destroy();
  });

  describe("a client certificate", () => {
    let edge: Edge;
    let server: Server;
    const strangers: TestAuthority[] = [];
    const echo = {
      names: {
        path: "/test.Names/Names",
        requestStream: false,
        responseStream: false,
        requestSerialize: () => Buffer.alloc(0),
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (names: string[]) => Buffer.from(JSON.stringify(names)),
        responseDeserialize: (bytes: Buffer) => JSON.parse(String(bytes)) as string[],
      },
    };
    const Client = makeClientConstructor(echo, "Names");

    beforeEach(async () => {
      server = new Server();
      server.addService(echo, {
        names: (call: Parameters<typeof certificateNames>[0], reply: sendUnaryData<string[]>) =>
          reply(null, certificateNames(call)),
      });
      const log = pino({ level: "silent" });
      edge = await openEdge({
        ...{ server, log },
        address: { host: "127.0.0.1", port: 0 },
        tls: { ...first, clientCaFile: authority.caFile },
        connections: createConnections({ perAddress: 0, total: 0 }, log),
      });
    });
    afterEach(() => {
      edge.close();
      server.forceShutdown();
      edge.cutAll();
      for (const stranger of strangers.splice(0)) stranger.remove();
    });

    async function namesOf(client?: TestCertificate): Promise<string[]> {
      const secure = credentials.createSsl(
        authority.rootCerts,
        client?.key ?? null,
        client?.cert ?? null,
      );
      const stub = new Client(`localhost:${edge.port}`, secure, {
        "grpc.use_local_subchannel_pool": 1,
      });
      try {
        return await new Promise((resolve, reject) => {
          stub.names?.({}, (error: Error | null, names: string[]) =>
            error === null ? resolve(names) : reject(error),
          );
        });
      } finally {
        stub.close();
      }
    }

    test("gives its holder the URI and DNS names in it, and never its CN or an address", async () => {
      const mine = authority.issue("cn-name", [
        ["URI", "spiffe://example.org/weather"],
        ["DNS", "weather.example.org"],
        ["IP", "10.0.0.1"],
        ["email", "alice@example.org"],
        ["RID", "1.2.3.4"],
        ["DNS", "*.example.org"],
      ]);
      expect(await namesOf(mine)).toEqual([
        "spiffe://example.org/weather",
        "weather.example.org",
        "*.example.org",
      ]);
      expect(await namesOf(authority.issue("weather", []))).toEqual([]);
    });

    test("of a stranger's authority, or none at all, gives no name and no refusal", async () => {
      const stranger = makeAuthority();
      strangers.push(stranger);
      expect(await namesOf(stranger.issue("alice", [["DNS", "alice"]]))).toEqual([]);
      expect(await namesOf()).toEqual([]);
      // One that is meant for servers is no client's.
      const forServers = authority.issue(
        "alice",
        [["DNS", "alice"]],
        ["extendedKeyUsage = serverAuth"],
      );
      expect(await namesOf(forServers)).toEqual([]);
      expect(await namesOf(authority.issue("alice", [["DNS", "alice"]]))).toEqual(["alice"]);
    });

    test("whose names hold commas and quotes gives none that is not in it", async () => {
      const sly = authority.issue("sly", [
        ["URI", "https://example.org/, DNS:admin"],
        ["DNS", "bob, URI:admin"],
        ["DNS", 'x", DNS:admin, DNS:"y'],
        ["DNS", "carol"],
      ]);
      expect(await namesOf(sly)).toEqual(["carol"]);
    });
  });
});

test("names are read only from text that is wholly of the known form", () => {
  expect(namesIn("")).toEqual([]);
  expect(namesIn('DNS:a, URI:"b, DNS:c\\", DNS:d", DNS:e')).toEqual(["a", "e"]);
  for (const odd of [
    'DNS:a, DNS:"b',
    "DNS:a, nonsense",
    'DNS:a"b, DNS:c',
    "DNS:a,DNS:b",
    ", DNS:a",
  ]) {
    expect(namesIn(odd), odd).toEqual([]);
  }
});

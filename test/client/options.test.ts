import { expect, test } from "vitest";
import { ChatClient, ChatHubError } from "../../src/client/index.js";
import { parseHubUrl } from "../../src/client/url.js";

test("host:port, grpc:// and grpcs:// are read; the port is 8765 where left out", () => {
  expect(parseHubUrl("localhost:1234")).toEqual({
    target: "localhost:1234",
    secure: false,
    loopback: true,
  });
  expect(parseHubUrl("grpc://127.0.0.1:1")).toMatchObject({ target: "127.0.0.1:1", secure: false });
  expect(parseHubUrl("grpcs://chat.example.org")).toEqual({
    target: "chat.example.org:8765",
    secure: true,
    loopback: false,
  });
  expect(parseHubUrl("grpc://[::1]:9/")).toMatchObject({ target: "[::1]:9", loopback: true });
});

test.each([
  ["ws://localhost:8765", "use grpc://localhost:8765 instead of ws://"],
  ["wss://hub.example.org:443", "use grpcs://hub.example.org:443 instead of wss://"],
  ["http://localhost:8765", "use grpc://localhost:8765 instead of http://"],
  ["https://hub.example.org", "use grpcs://hub.example.org instead of https://"],
  ["grpc://localhost:8765/chat", "host:port"],
  ["localhost:99999", "host:port"],
  ["", "host:port"],
])("%j is refused with a sentence that names the right form", (hubUrl, sentence) => {
  const make = () => new ChatClient({ hubUrl, agentId: "a" });
  expect(make).toThrow(ChatHubError);
  expect(make).toThrow(expect.objectContaining({ code: 3, reason: "BAD_URL" }));
  expect(make).toThrow(sentence);
});

test("I3: an agentId that cannot be one is refused, as are options out of range", () => {
  const reasonOf = (options: object) => {
    try {
      new ChatClient({ agentId: "a", ...options });
    } catch (error) {
      return error instanceof ChatHubError ? error.reason : error;
    }
    return undefined;
  };
  expect(reasonOf({ agentId: "天气" })).toBe("INVALID_ID");
  expect(reasonOf({ agentId: "" })).toBe("INVALID_ID");
  expect(reasonOf({ timeoutMs: 0 })).toBe("BAD_OPTION");
  expect(reasonOf({ maxConcurrentChannels: 1.5 })).toBe("BAD_OPTION");
  expect(reasonOf({ maxBufferedEntries: 0 })).toBe("BAD_OPTION");
  expect(reasonOf({ apiKey: "with space" })).toBe("BAD_OPTION");
  const pem = Buffer.from("");
  expect(reasonOf({ clientCert: pem })).toBe("BAD_OPTION");
  expect(reasonOf({ clientKey: pem, hubUrl: "grpcs://h" })).toBe("BAD_OPTION");
  expect(reasonOf({ clientCert: pem, clientKey: pem })).toBe("BAD_OPTION");
  expect(reasonOf({ receive: "auto" })).toBe("BAD_OPTION");
  expect(reasonOf({})).toBeUndefined();
});

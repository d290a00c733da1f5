import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const PACKAGE = "claw.chat.v1";

/** A message of today's hub as a client of the release reads it. */
export interface ReadMessage {
  /** What it knows, as the JSON form has it: nothing that is empty or zero. */
  json: JsonObject;
  /** The numbers of the fields it does not know, those of inner messages included. */
  unknown: number[];
}

/** The contract as a release had it, and no more than that. */
export interface KeptContract {
  readonly registry: FileRegistry;
  /** Its plain calls and its streams, by name. */
  readonly methods: { name: string; stream: boolean; input: string; output: string }[];
  /** The bytes of a message such as `ConnectRequest`. */
  encode(type: string, json: JsonValue): Buffer;
  /** @throws Error where the bytes are no such message */
  decode(type: string, bytes: Uint8Array): ReadMessage;
  /** The cases of a message's oneof `frame`, as the JSON form names them. */
  framesOf(type: string): string[];
}

/** Reads a contract from the descriptors that `buf build` has written. */
export function keptContract(descriptors: Uint8Array): KeptContract {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  const service = registry.getService(`${PACKAGE}.ChatHub`);
  if (service === undefined) throw new Error(`the descriptors have no ${PACKAGE}.ChatHub`);

  function schemaOf(type: string): DescMessage {
    const schema = registry.getMessage(`${PACKAGE}.${type}`);
    if (schema === undefined) throw new Error(`the descriptors have no message ${type}`);
    return schema;
  }

  return {
    registry,
    methods: service.methods.map(({ name, methodKind, input, output }) => ({
      name,
      stream: methodKind === "bidi_streaming",
      input: input.name,
      output: output.name,
    })),
    encode(type, json) {
      const schema = schemaOf(type);
      return Buffer.from(toBinary(schema, fromJson(schema, json)));
    },
    decode(type, bytes) {
      const schema = schemaOf(type);
      const message = fromBinary(schema, bytes);
      return { json: toJson(schema, message) as JsonObject, unknown: unknownIn(message) };
    },
    framesOf(type) {
      const oneof = schemaOf(type).oneofs.find(({ name }) => name === "frame");
      return (oneof?.fields ?? []).map(({ jsonName }) => jsonName);
    },
  };
}

function unknownIn(value: unknown): number[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  const own = (value as Partial<Message>).$unknown ?? [];
  const inner = Object.entries(value).flatMap(([key, part]) =>
    key === "$unknown" ? [] : unknownIn(part),
  );
  return [...own.map(({ no }) => no), ...inner];
}

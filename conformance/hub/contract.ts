import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescMessage,
  type DescService,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** A JSON object, as a transcript writes it and as the JSON mapping of Protocol Buffers gives it. */
export type Json = { [key: string]: JsonValue };

const FILES = ["../../gen/descriptor.binpb", "../../gen/health.binpb"];
const SERVICES = ["claw.chat.v1.ChatHub", "grpc.health.v1.Health"];

const registries = FILES.map((file) =>
  createFileRegistry(
    fromBinary(FileDescriptorSetSchema, readFileSync(new URL(file, import.meta.url))),
  ),
);

/** One call of the contract, with what travels on it as bytes and as JSON. */
export interface Method {
  /** As HTTP/2 names it: `/claw.chat.v1.ChatHub/Connect`. */
  path: string;
  request: DescMessage;
  response: DescMessage;
}

function service(typeName: string): DescService {
  const found = registries.flatMap((registry) => registry.getService(typeName) ?? [])[0];
  if (found === undefined) throw new Error(`no descriptor of ${typeName}`);
  return found;
}

/** Every call by its short name, such as `RegisterService`; the only one of health is `Check`. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  SERVICES.map(service).flatMap(({ typeName, methods }) =>
    methods.map(({ name, input, output }) => [
      name,
      { path: `/${typeName}/${name}`, request: input, response: output },
    ]),
  ),
);

/** The method of that name. @throws Error when there is none */
export function methodOf(name: string): Method {
  const method = METHODS.get(name);
  if (method === undefined) throw new Error(`there is no call ${name}`);
  return method;
}

/** The bytes of a message. @throws Error when the JSON is none of that message */
export function encode(message: DescMessage, json: JsonValue): Uint8Array {
  return toBinary(message, fromJson(message, json));
}

/** A message as JSON, with its empty fields. @throws Error when the bytes are no protobuf of it */
export function decode(message: DescMessage, bytes: Uint8Array): Json {
  return toJson(message, fromBinary(message, bytes), { alwaysEmitImplicit: true }) as Json;
}

/**
 * Field names in a piece of JSON that the message does not have, as paths. Values are not looked
 * at: they may be variables. What is written with `$` in front is no field, but an operator.
 */
export function unknownFields(
  message: DescMessage,
  json: unknown,
  path: string[] = [],
): string[][] {
  if (!isObject(json) || message.typeName.startsWith("google.protobuf.")) return [];
  return Object.entries(json).flatMap(([key, value]) => {
    if (key.startsWith("$")) return [];
    const field = message.fields.find((one) => one.jsonName === key);
    if (field === undefined) return [[...path, key]];
    const inner = field.fieldKind === "map" ? undefined : field.message;
    if (inner === undefined) return [];
    const items = Array.isArray(value) ? value : [value];
    return items.flatMap((item) => unknownFields(inner, item, [...path, key]));
  });
}

/** Whether a value is an object with keys. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

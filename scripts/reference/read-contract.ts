import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescService,
  fromBinary,
  ScalarType,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const FILE = "claw/chat/v1/chat_hub.proto";

/** Something of the contract that has a name, and what the proto says about it. */
export interface Part {
  /** Such as `ChatRequest` or `ChatRequest.timeout`. */
  path: string;
  name: string;
  /** Its comment, without the slashes; empty where it has none. */
  comment: string;
}

export interface FieldPart extends Part {
  number: number;
  /** As the proto writes it, with the names of types of this contract alone. */
  type: string;
  jsonName: string;
  /** The oneof it is a case of. */
  oneof: string | undefined;
}

export interface MessagePart extends Part {
  fields: FieldPart[];
  oneofs: Part[];
}

export interface EnumPart extends Part {
  values: (Part & { number: number })[];
}

export interface MethodPart extends Part {
  /** Whether requests, and responses, are streams. */
  streams: boolean;
  input: string;
  output: string;
}

export interface ServicePart extends Part {
  methods: MethodPart[];
}

/** The contract as the proto has it, in its order. */
export interface Contract {
  /** What the proto says about itself. */
  comment: string;
  services: ServicePart[];
  messages: MessagePart[];
  enums: EnumPart[];
}

/**
 * Reads the contract, with its comments.
 * @param descriptors a descriptor set with source info, as `buf build` makes it
 * @throws Error where the contract is not in it, or no source info
 */
export function readContract(descriptors: Uint8Array): Contract {
  const file = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors)).getFile(FILE);
  if (file === undefined) throw new Error(`the descriptors have no ${FILE}`);
  const commentAt = commentsOf(file);
  const part = (path: string, name: string, place: number[]): Part => ({
    path,
    name,
    comment: commentAt(place),
  });
  return {
    comment: commentAt([PACKAGE]),
    services: file.services.map((service, index) => serviceOf(service, [SERVICE, index], part)),
    messages: file.messages.map((message, index) => messageOf(message, [MESSAGE, index], part)),
    enums: file.enums.map((one, index) => enumOf(one, [ENUM, index], part)),
  };
}

/** Every part of a contract, the small ones included. */
export function partsOf({ services, messages, enums }: Contract): Part[] {
  return [
    ...services.flatMap((service) => [service, ...service.methods]),
    ...messages.flatMap((message) => [message, ...message.oneofs, ...message.fields]),
    ...enums.flatMap((one) => [one, ...one.values]),
  ];
}

type NewPart = (path: string, name: string, place: number[]) => Part;

/** Numbers of the fields of descriptor.proto: the places that source info speaks of. */
const [PACKAGE, MESSAGE, ENUM, SERVICE] = [2, 4, 5, 6];
const [FIELD, ONEOF, VALUE, METHOD] = [2, 8, 2, 2];

function serviceOf(service: DescService, place: number[], part: NewPart): ServicePart {
  const methods = service.methods.map((method, index) => ({
    ...part(`${service.name}.${method.name}`, method.name, [...place, METHOD, index]),
    streams: method.methodKind === "bidi_streaming",
    input: method.input.name,
    output: method.output.name,
  }));
  return { ...part(service.name, service.name, place), methods };
}

function messageOf(message: DescMessage, place: number[], part: NewPart): MessagePart {
  const { name, proto } = message;
  const fields = message.fields.map((field) => ({
    ...part(`${name}.${field.name}`, field.name, [
      ...place,
      FIELD,
      proto.field.indexOf(field.proto),
    ]),
    number: field.number,
    type: typeOf(field),
    jsonName: field.jsonName,
    oneof: field.oneof?.name,
  }));
  const oneofs = message.oneofs.map((oneof, index) =>
    part(`${name}.${oneof.name}`, oneof.name, [...place, ONEOF, index]),
  );
  return { ...part(name, name, place), fields, oneofs };
}

function enumOf(one: DescEnum, place: number[], part: NewPart): EnumPart {
  const values = one.values.map((value, index) => ({
    ...part(`${one.name}.${value.name}`, value.name, [...place, VALUE, index]),
    number: value.number,
  }));
  return { ...part(one.name, one.name, place), values };
}

function typeOf(field: DescField): string {
  const named = field.message ?? field.enum;
  const name = named === undefined ? scalarName(field.scalar) : nameHere(named);
  if (field.fieldKind === "map") return `map<${scalarName(field.mapKey)}, ${name}>`;
  return field.fieldKind === "list" ? `repeated ${name}` : name;
}

/** Without the package, where it is this one. */
function nameHere({ typeName }: DescMessage | DescEnum): string {
  return typeName.replace(/^claw\.chat\.v1\./, "");
}

/** As the proto writes it. */
function scalarName(scalar: ScalarType | undefined): string {
  return String(ScalarType[scalar ?? 0]).toLowerCase();
}

/** Looks a comment up by the place of what it stands before. */
function commentsOf(file: DescFile): (place: number[]) => string {
  const locations = file.proto.sourceCodeInfo?.location ?? [];
  if (locations.length === 0) throw new Error("the descriptors have no source info");
  const comments = new Map(locations.map((one) => [one.path.join("."), one.leadingComments]));
  return (place) => (comments.get(place.join(".")) ?? "").replace(/^ /gm, "").trimEnd();
}

import type { DescEnum, DescField, DescMessage, FileRegistry } from "@bufbuild/protobuf";

/**
 * What a later contract has taken away from an earlier one, or given another meaning, in
 * sentences; what it has added is no change here.
 */
export function changesBetween(earlier: FileRegistry, later: FileRegistry): string[] {
  const changes: string[] = [];
  for (const type of earlier) {
    if (!type.typeName.startsWith("claw.")) continue;
    if (type.kind === "message") changes.push(...ofMessage(type, later.getMessage(type.typeName)));
    if (type.kind === "enum") changes.push(...ofEnum(type, later.getEnum(type.typeName)));
    if (type.kind === "service") {
      const methods = new Map(
        later.getService(type.typeName)?.methods.map((method) => [method.name, method]),
      );
      for (const { name, methodKind, input, output } of type.methods) {
        const now = methods.get(name);
        const same =
          now?.methodKind === methodKind &&
          now.input.typeName === input.typeName &&
          now.output.typeName === output.typeName;
        if (!same) changes.push(`the method ${name} is gone or another`);
      }
    }
  }
  return changes;
}

function ofMessage(earlier: DescMessage, later: DescMessage | undefined): string[] {
  const fields = new Map(later?.fields.map((field) => [field.number, shapeOf(field)]));
  return earlier.fields
    .filter((field) => fields.get(field.number) !== shapeOf(field))
    .map(
      (field) => `${earlier.name}: ${shapeOf(field)} is now ${fields.get(field.number) ?? "gone"}`,
    );
}

function ofEnum(earlier: DescEnum, later: DescEnum | undefined): string[] {
  const names = new Map(later?.values.map(({ number, name }) => [number, name]));
  return earlier.values
    .filter(({ number, name }) => names.get(number) !== name)
    .map(({ number, name }) => `${name} = ${number} is now ${names.get(number) ?? "gone"}`);
}

/** All that matters on the wire and in the JSON form. */
function shapeOf(field: DescField): string {
  const { message, enum: ofValues, scalar, oneof, jsonName, number } = field;
  const type = message?.typeName ?? ofValues?.typeName ?? `scalar ${scalar}`;
  const key = field.fieldKind === "map" ? ` by ${field.mapKey}` : "";
  const kind = field.fieldKind === "list" ? `list, ${field.listKind}` : field.fieldKind;
  return `${jsonName} = ${number} (${kind}, ${type}${key}, in ${oneof?.name ?? "no oneof"})`;
}

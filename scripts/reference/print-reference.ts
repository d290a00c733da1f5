import type { Contract, FieldPart, MessagePart, Part, ServicePart } from "./read-contract.ts";

const HEAD = `# Reference

<!-- Made from the proto by \`npm run generate\`: change its comments, not this. -->

The contract \`claw.chat.v1\`, as [the proto](../proto/claw/chat/v1/chat_hub.proto) and its comments have it. What the hub
does with it is in [protocol.md](protocol.md), what may change in [compatibility.md](compatibility.md). In the JSON form a field
has the name of the column JSON, or that of the proto.
`;

/** The contract as a Markdown document, each type with a heading of its own. */
export function printReference(contract: Contract): string {
  const types = new Set([...contract.messages, ...contract.enums].map(({ name }) => name));
  const linked = (text: string) =>
    text.replace(/[A-Za-z]\w*/g, (name) =>
      types.has(name) ? `[${name}](#${name.toLowerCase()})` : name,
    );
  return [
    HEAD,
    prose(contract.comment),
    "## Calls\n",
    ...contract.services.map((service) => printService(service, linked)),
    "## Messages\n",
    ...contract.messages.map((message) => printMessage(message, linked)),
    "## Enums\n",
    ...contract.enums.map(({ values, ...head }) => {
      const rows = values.map((value) => [`\`${value.name}\``, String(value.number), cell(value)]);
      return printPart(head, table(["Value", "Number", "What it means"], rows));
    }),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function printService({ methods, ...head }: ServicePart, linked: (text: string) => string): string {
  const calls = methods.map(({ streams, input, output, ...method }) => {
    const stream = streams ? "a stream of " : "";
    const takes = `Takes ${stream}${linked(input)}, returns ${stream}${linked(output)}.\n`;
    return `#### ${method.name}\n\n${takes}\n${prose(method.comment)}`;
  });
  return `### ${head.name}\n\n${prose(head.comment)}\n${calls.join("\n")}`;
}

function printMessage(message: MessagePart, linked: (text: string) => string): string {
  const { fields, oneofs } = message;
  if (fields.length === 0) return printPart(message, "It has no fields.\n");
  const sections = [
    printFields(
      fields.filter(({ oneof }) => oneof === undefined),
      linked,
    ),
    ...oneofs.map((oneof) => {
      const cases = fields.filter((field) => field.oneof === oneof.name);
      return `One of these, \`${oneof.name}\`: ${cell(oneof)}\n\n${printFields(cases, linked)}`;
    }),
  ];
  return printPart(message, sections.filter(Boolean).join("\n"));
}

function printFields(fields: FieldPart[], linked: (text: string) => string): string {
  if (fields.length === 0) return "";
  const rows = fields.map((field) => {
    const { name, number, type, jsonName } = field;
    return [
      `\`${name}\``,
      String(number),
      linked(type).replace(/</g, "\\<"),
      `\`${jsonName}\``,
      cell(field),
    ];
  });
  return table(["Field", "Number", "Type", "JSON", "What it means"], rows);
}

function printPart({ name, comment }: Part, rest: string): string {
  return `### ${name}\n\n${prose(comment)}\n${rest}`;
}

/** A comment as paragraphs; lines that are indented in it stay as they are. */
function prose(comment: string): string {
  const lines = comment.split("\n").map((line, index, all) => {
    const [inside, wasInside] = [isIndented(line), isIndented(all[index - 1] ?? "")];
    const open = inside && !wasInside ? "\n```text\n" : "";
    const close = !inside && wasInside ? "```\n" : "";
    return `${close}${open}${line}`;
  });
  return `${lines.join("\n")}\n${isIndented(comment.split("\n").at(-1) ?? "") ? "```\n" : ""}`;
}

/** A text whose stars are stars; what stands between backticks is taken as it is. */
function escaped(text: string): string {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? part.replaceAll("*", "\\*") : part))
    .join("`");
}

function isIndented(line: string): boolean {
  return line.startsWith("  ");
}

/** A comment in one line, for a table. */
function cell({ comment }: Part): string {
  return escaped(comment.replaceAll(/\s*\n\s*/g, " ")).replaceAll("|", "\\|");
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

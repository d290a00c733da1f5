import { styleText } from "node:util";
import { type DestinationStream, destination, type Logger, levels, pino } from "pino";
import { printable } from "./printable.js";
import type { Settings } from "./settings.js";

/** The hub's log, on stderr: JSON lines for programs, short lines on a terminal. */
export function openLog(settings: Settings<"logLevel" | "logFormat">): Logger {
  const { logLevel, logFormat } = settings;
  const asText = logFormat === "text" || (logFormat === "auto" && process.stderr.isTTY);
  const stderr = destination({ fd: 2, sync: true });
  return pino({ level: logLevel, base: null }, asText ? textLines(stderr) : stderr);
}

/** Turns pino's JSON lines into `12:00:01 info  session started  agent=alice`. */
function textLines(to: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { level, time, msg, ...fields }: Record<string, unknown> = JSON.parse(line);
      const at = new Date(Number(time)).toTimeString().slice(0, 8);
      const name = levels.labels[Number(level)] ?? String(level);
      const facts = Object.entries(fields).map(([key, value]) => `${key}=${factOf(value)}`);
      const words = [`${at} ${name.padEnd(5)} ${printable(String(msg ?? ""))}`];
      if (facts.length > 0)
        words.push(styleText("dim", facts.join(" "), { stream: process.stderr }));
      to.write(`${words.join("  ")}\n`);
    },
  };
}

function factOf(value: unknown): string {
  if (typeof value === "string") return printable(value);
  if (typeof value === "object" && value !== null && "message" in value) {
    return printable(String(value.message));
  }
  return printable(JSON.stringify(value) ?? "");
}

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, and the
 * marks that turn the reading direction: what another agent could drive a
 * terminal or mislead a reader with.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;
const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text of another agent as one harmless line: unsafe characters become escapes such as \n or \u001b. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => NAMED[char] ?? unicodeEscape(char));
}

/** One JSON line that is also harmless on a terminal: JSON alone leaves DEL and C1 as they are. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, unicodeEscape);
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

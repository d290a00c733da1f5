interface Versions {
  node: string;
  napi?: string | undefined;
}

/** Why this Node cannot run claw-chat, in one sentence; undefined where it can. */
export function nodeProblem(versions: Versions): string | undefined {
  if (atLeast(versions.node, [22, 14, 0]) && Number(versions.napi ?? 0) >= 10) return undefined;
  return (
    `this is Node ${versions.node}, but Node 22.14 or newer is needed: ` +
    "install one, or run claw-chat through an npm script of this package, which brings Node 24."
  );
}

/**
 * Why a hub in production wants another Node, in one sentence; undefined where this one is fine.
 * CVE-2026-56846 and CVE-2026-56848 are faults in the HTTP/2 of those before.
 */
export function nodeAdvice({ node }: Versions): string | undefined {
  const isFixed22 = node.startsWith("22.") && atLeast(node, [22, 23, 2]);
  if (isFixed22 || (atLeast(node, [24, 18, 1]) && !node.startsWith("25."))) return undefined;
  return `Node ${node} lacks fixes to its HTTP/2: use 22.23.2 or 24.18.1 or newer in production`;
}

function atLeast(version: string, wanted: [number, number, number]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [place, least] of wanted.entries()) {
    const part = parts[place] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

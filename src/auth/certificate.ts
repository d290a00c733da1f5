import { isValidId } from "../protocol/ids.js";

/**
 * The agents that a verified client certificate names: each of its URI and DNS names that is an
 * agent's id, word for word, such as `spiffe://example.org/weather` or `weather.example.org`. A
 * wildcard is none.
 * @param names the URI and DNS entries of its subjectAltName
 */
export function agentsOfCertificate(names: readonly string[]): string[] {
  return [...new Set(names)].filter(isValidId);
}

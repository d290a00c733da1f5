/**
 * Statements whose plans do not depend on the values that are bound. SQLite, as it is built here, looks
 * at a bound value to guess how many rows it selects, and prepares the statement anew whenever that
 * value may have changed: 20 to 50 µs for questions that are answered in 3. Behind a + it does not
 * look (https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_).
 * A test asks for the plan of each.
 */
export function fixedPlans<Name extends string>(
  statements: Record<Name, string>,
): Record<Name, string> {
  const fixed = Object.entries<string>(statements).map(([name, sql]) => [
    name,
    sql.replaceAll(/@\w+|\?/g, "+$&"),
  ]);
  return Object.fromEntries(fixed);
}

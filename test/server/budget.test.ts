import { expect, test } from "vitest";
import { createBudget } from "../../src/server/budget.js";

test("D4: places kept for answers do not bar an item that is too large for company", () => {
  const budget = createBudget({ maxItems: 4, maxBytes: 1_000 });
  budget.add(0);
  expect(budget.fits(5_000)).toBe(true);
  budget.add(5_000);
  expect(budget.fits(1)).toBe(false);
  expect(budget.room()).toEqual({ items: 0, bytes: 0 });
  budget.remove(5_000);
  expect(budget.fits(1)).toBe(true);
});

test("D4: what was turned away is not overtaken by what is smaller", () => {
  const budget = createBudget({ maxItems: 4, maxBytes: 1_000 });
  budget.add(600);
  expect(budget.fits(500)).toBe(false);
  expect(budget.fits(100)).toBe(false);
  expect(budget.isRelaxed()).toBe(false);
  budget.remove(600);
  expect(budget.fits(500)).toBe(true);
});

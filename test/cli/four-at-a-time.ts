/** Does work for every item, at most four at once: processes that only start and end share the cores. */
export async function fourAtATime<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

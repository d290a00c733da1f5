/**
 * What a hub calls at each failpoint it passes.
 * @param setting `name@n`: at the n-th pass of that one the process ends as by SIGKILL
 * @throws Error when the setting has another form
 */
export function countPasses(setting: string): (name: string) => void {
  const [, armed, number] = /^([a-z-]+)@([1-9]\d*)$/.exec(setting) ?? [];
  if (armed === undefined) throw new Error(`FAILPOINT is ${setting}; use name@n`);
  let left = Number(number);
  return (name) => {
    if (name !== armed) return;
    left -= 1;
    // Delivered before kill() returns, so that nothing after the failpoint runs.
    if (left === 0) process.kill(process.pid, "SIGKILL");
  };
}

/** What the runner was asked cannot be done: the message says why, and the exit code is 2. */
export class WrongUsage extends Error {}

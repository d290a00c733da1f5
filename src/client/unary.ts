import { type ClientUnaryCall, type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { callMetadata } from "./api-key.js";
import { createBackoff } from "./backoff.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import { type ChatHubError, closedError, errorOfStatus, noApiKey } from "./errors.js";
import type { Settings } from "./options.js";

type Callback<Response> = (error: ServiceError | null, response: Response) => void;

/** Who makes a call, and how long it may take. */
export interface UnaryBounds {
  settings: Settings;
  /** Of each call; a list makes one for each page. */
  bounds: CallBounds;
  /** Aborted when the client is disconnected; its reason is the error of the call. */
  gone: AbortSignal;
}

/**
 * One unary call, made again while the hub is not there, until its bounds.
 * @param invoke makes one attempt
 * @param repeated what an error means if an attempt before may have succeeded unheard
 * @returns rejects with the hub's refusal, TIMEOUT, ABORTED_BY_CALLER or CLOSED
 */
export function unary<Response>(
  invoke: (metadata: Metadata, callback: Callback<Response>) => ClientUnaryCall,
  { settings, bounds, gone }: UnaryBounds,
  repeated?: (error: ChatHubError) => Response | undefined,
): Promise<Response> {
  let trouble: string | undefined;
  return withinBounds<Response>({ ...bounds, trouble: () => trouble }, (resolve, reject) => {
    const backoff = createBackoff({ initialMs: 100, maxMs: 5_000 });
    let call: ClientUnaryCall | undefined;
    let timer: NodeJS.Timeout | undefined;

    let over = false;
    let attempts = 0;

    function attempt(): void {
      const metadata = callMetadata(settings);
      if (metadata instanceof Promise) metadata.then(begin, (error) => tryAgain(noApiKey(error)));
      else begin(metadata);
    }

    function begin(metadata: Metadata): void {
      if (over) return;
      try {
        attempts += 1;
        call = invoke(metadata, settle);
      } catch {
        // grpc-js throws where the stub was closed meanwhile.
        reject(closedError("the client was disconnected before the hub answered"));
      }
    }

    function settle(error: ServiceError | null, response: Response): void {
      if (error === null) {
        resolve(response);
        return;
      }
      const failure = errorOfStatus(error);
      if (failure.code !== status.UNAVAILABLE) {
        const result = attempts < 2 ? undefined : repeated?.(failure);
        if (result === undefined) reject(failure);
        else resolve(result);
        return;
      }
      tryAgain(failure);
    }

    function tryAgain(failure: ChatHubError): void {
      if (over) return;
      trouble = `${failure.reason}: ${failure.message}`;
      timer = setTimeout(attempt, Math.max(failure.retryAfterMs ?? 0, backoff.nextDelayMs()));
    }

    const leave = () => reject(gone.reason);
    gone.addEventListener("abort", leave, { once: true });
    // Not even one attempt: it would open a stub that nobody closes.
    if (gone.aborted) leave();
    else attempt();
    return () => {
      over = true;
      gone.removeEventListener("abort", leave);
      clearTimeout(timer);
      call?.cancel();
    };
  });
}

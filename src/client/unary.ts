import { type ClientUnaryCall, type ServiceError, status } from "@grpc/grpc-js";
import { createBackoff } from "./backoff.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import { type ChatHubError, closedError, errorOfStatus } from "./errors.js";

type Callback<Response> = (error: ServiceError | null, response: Response) => void;

/**
 * One unary call, made again while the hub is not there, until its bounds.
 * @param invoke makes one attempt
 * @param gone aborted when the client is disconnected; its reason is the error
 * @param repeated what an error means if an attempt before may have succeeded unheard
 * @returns rejects with the hub's refusal, TIMEOUT, ABORTED_BY_CALLER or CLOSED
 */
export function unary<Response>(
  invoke: (callback: Callback<Response>) => ClientUnaryCall,
  bounds: CallBounds,
  gone: AbortSignal,
  repeated?: (error: ChatHubError) => Response | undefined,
): Promise<Response> {
  let trouble: string | undefined;
  return withinBounds<Response>({ ...bounds, trouble: () => trouble }, (resolve, reject) => {
    const backoff = createBackoff({ initialMs: 100, maxMs: 5_000 });
    let call: ClientUnaryCall | undefined;
    let timer: NodeJS.Timeout | undefined;

    function attempt(): void {
      try {
        call = invoke(settle);
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
        const result = trouble === undefined ? undefined : repeated?.(failure);
        if (result === undefined) reject(failure);
        else resolve(result);
        return;
      }
      trouble = `${failure.reason}: ${failure.message}`;
      timer = setTimeout(attempt, Math.max(failure.retryAfterMs ?? 0, backoff.nextDelayMs()));
    }

    const leave = () => reject(gone.reason);
    gone.addEventListener("abort", leave, { once: true });
    // Not even one attempt: it would open a stub that nobody closes.
    if (gone.aborted) leave();
    else attempt();
    return () => {
      gone.removeEventListener("abort", leave);
      clearTimeout(timer);
      call?.cancel();
    };
  });
}

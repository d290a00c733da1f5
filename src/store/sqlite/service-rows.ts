import type { Database } from "better-sqlite3";
import type { ServiceRecord } from "../../hub/store.js";
import type { AcceptPolicy } from "../../protocol/wire.js";

interface ServiceRow {
  service_id: string;
  provider_id: string;
  description: string;
  /** A JSON array of strings. */
  tags: string;
  /** A JSON array of [key, value]: as an object it would lose a key named __proto__. */
  metadata: string;
  accept_policy: AcceptPolicy;
  max_active_chats: number;
  /** A JSON array of strings. */
  allowed_consumers: string;
  open_channel_id: string;
  registered_at_ms: number;
}

/** Statements about services. */
export interface ServiceRows {
  get(serviceId: string): ServiceRecord | undefined;
  put(service: ServiceRecord): void;
  remove(serviceId: string): void;
  page(page: { after: string; limit: number }): ServiceRecord[];
  count(providerId: string): number;
}

export function prepareServiceRows(db: Database): ServiceRows {
  const get = db.prepare<[string], ServiceRow>("SELECT * FROM services WHERE service_id = ?");
  const put = db.prepare<[ServiceRow]>(
    `REPLACE INTO services (service_id, provider_id, description, tags, metadata,
        accept_policy, max_active_chats, allowed_consumers, open_channel_id, registered_at_ms)
      VALUES (@service_id, @provider_id, @description, @tags, @metadata,
        @accept_policy, @max_active_chats, @allowed_consumers, @open_channel_id,
        @registered_at_ms)`,
  );
  const remove = db.prepare<[string]>("DELETE FROM services WHERE service_id = ?");
  const page = db.prepare<[string, number], ServiceRow>(
    "SELECT * FROM services WHERE service_id > ? ORDER BY service_id LIMIT ?",
  );
  const count = db
    .prepare<[string], number>("SELECT count(*) FROM services WHERE provider_id = ?")
    .pluck();

  return {
    get(serviceId) {
      const row = get.get(serviceId);
      return row && serviceOf(row);
    },
    put(service) {
      put.run({
        service_id: service.serviceId,
        provider_id: service.providerId,
        description: service.description,
        tags: JSON.stringify(service.tags),
        metadata: JSON.stringify([...service.metadata]),
        accept_policy: service.acceptPolicy,
        max_active_chats: service.maxActiveChats,
        allowed_consumers: JSON.stringify(service.allowedConsumers),
        open_channel_id: service.openChannelId,
        registered_at_ms: service.registeredAtMs,
      });
    },
    remove(serviceId) {
      remove.run(serviceId);
    },
    page: ({ after, limit }) => page.all(after, limit).map(serviceOf),
    count: (providerId) => count.get(providerId) ?? 0,
  };
}

function serviceOf(row: ServiceRow): ServiceRecord {
  const tags: string[] = JSON.parse(row.tags);
  const metadata: [string, string][] = JSON.parse(row.metadata);
  const allowedConsumers: string[] = JSON.parse(row.allowed_consumers);
  return {
    serviceId: row.service_id,
    providerId: row.provider_id,
    description: row.description,
    tags,
    metadata: new Map(metadata),
    acceptPolicy: row.accept_policy,
    maxActiveChats: row.max_active_chats,
    allowedConsumers,
    openChannelId: row.open_channel_id,
    registeredAtMs: row.registered_at_ms,
  };
}

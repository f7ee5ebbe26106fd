/** What gateways still have to be told of memberships that an object has ended. */
import { z } from "zod";
import { CLOSE, ERROR_CODES, ERRORS } from "../errors.ts";
import { callGateway, type Expulsion, PutOut } from "./gateways.ts";
import { PendingCalls } from "./pending-calls.ts";
import type { Timers } from "./timers.ts";

/** Made with the first row: most objects never put anybody out. */
const SCHEMA =
  "CREATE TABLE IF NOT EXISTS put_outs (id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, put_out TEXT NOT NULL)";
/** One call takes so many; a room that is deleted puts all of its members out. */
const AT_ONCE = 500;

const PutOutRow = z.object({
  id: z.number(),
  put_out: z.string().transform((json) => PutOut.parse(JSON.parse(json))),
});

/** Codes after which a client should come back at once (SPEC 2). */
const COME_BACK: ReadonlySet<number> = new Set([CLOSE.restart, CLOSE.heartbeatMissed, CLOSE.tooSlow]);
/** Codes that mean the client, not its membership of one room: they end its whole connection. */
const ENDS_CONNECTION: ReadonlySet<number> = new Set([CLOSE.unauthorized, CLOSE.rateLimit, CLOSE.restart]);

/** What a close means for a Socket.IO client; one that is put out of its user's hub loses its whole connection. */
export function howToPutOut(code: number, isHub: boolean): PutOut["how"] {
  if (!isHub && !ENDS_CONNECTION.has(code)) return "expel";
  return COME_BACK.has(code) ? "reset" : "disconnect";
}

/** A room's close code and reason, as an expelled client is told them. */
function expulsionFor(close: number, reason: string): Expulsion {
  const code = ERROR_CODES.find((one) => ERRORS[one].close === close) ?? "FORBIDDEN";
  return { code, message: reason === code ? "You were put out of this room." : reason };
}

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  /** Resolves when all that was sent to a gateway until now is there, or has failed. */
  drained(gateway: string): Promise<void>;
};

export class PutOuts {
  readonly #sql: SqlStorage;
  readonly #calls: PendingCalls<z.infer<typeof PutOutRow>>;

  constructor(host: Host) {
    this.#sql = host.state.storage.sql;
    this.#calls = new PendingCalls(host, {
      table: "put_outs",
      row: PutOutRow,
      target: "gateway",
      atOnce: AT_ONCE,
      make: async (gateway, rows) => {
        // After what they were still sent: a ban's notice before the ban.
        await host.drained(gateway);
        const orders = rows.map(({ put_out: { code, reason, ...order } }) => ({
          ...order,
          error: expulsionFor(code, reason),
        }));
        await callGateway(host.env, gateway, (stub) => stub.putOut(orders));
      },
    });
  }

  /** One row, until the gateway has heard it. */
  add(gateway: string, putOut: PutOut): void {
    this.#sql.exec(SCHEMA);
    this.#sql.exec("INSERT INTO put_outs (gateway, put_out) VALUES (?, ?)", gateway, JSON.stringify(putOut));
    this.#calls.noted([gateway]);
  }
}

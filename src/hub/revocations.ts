/** The revocations of late, for connections that were let in before one of them, and arrive after it. */
import { type Authenticated, isBan, isRevoked, Revocation } from "../realtime/room-ref.ts";

/** A revocation matters to connections that were being opened when it came; no opening takes this long. */
const KEPT_MS = 300_000;

type Row = { revocation: string };

export class Revocations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(revocation: Revocation & { asOf: number }, now: number): void {
    this.#sql.exec("DELETE FROM revocations WHERE at < ?", now - KEPT_MS);
    this.#sql.exec(
      "INSERT INTO revocations (as_of, at, revocation) VALUES (?, ?, ?)",
      revocation.asOf,
      now,
      JSON.stringify(revocation),
    );
  }

  /** The one that means this connection, if there is any. */
  against(by: Authenticated): Revocation | null {
    const rows = this.#sql.exec<Row>("SELECT revocation FROM revocations WHERE as_of > ?", by.asOf).toArray();
    return rows.map(parse).find((revocation) => isRevoked(revocation, by)) ?? null;
  }

  clear(): void {
    this.#sql.exec("DELETE FROM revocations");
  }

  /** Bans no longer count: they were lifted. */
  liftBans(): void {
    for (const { as_of, revocation } of this.#sql
      .exec<Row & { as_of: number }>("SELECT as_of, revocation FROM revocations")
      .toArray()) {
      if (isBan(parse({ revocation }))) this.#sql.exec("DELETE FROM revocations WHERE as_of = ?", as_of);
    }
  }
}

const parse = ({ revocation }: Row): Revocation => Revocation.parse(JSON.parse(revocation));

/** A database that cannot be asked. */

export const never = <T>() => new Promise<T>(() => {});

/** A database that takes every question and answers none, or fails as the platform says it does. */
export function stalled(answer: () => Promise<never> = never): D1Database {
  const statement: D1PreparedStatement = {
    bind: () => statement,
    all: answer,
    run: answer,
    raw: answer,
    first: answer,
  };
  const session = { prepare: () => statement, batch: answer, getBookmark: () => null };
  return { ...session, exec: answer, dump: answer, withSession: () => session };
}

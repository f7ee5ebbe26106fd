/** A database that cannot be asked. */

export const never = <T>() => new Promise<T>(() => {});

/** A database that takes every question and answers none, or fails as the platform says it does. */
export function stalled(answer: () => Promise<never> = never): D1Database {
  const statement = { bind: () => statement, all: answer, run: answer, raw: answer, first: answer };
  return { prepare: () => statement, batch: answer, exec: answer } as unknown as D1Database;
}

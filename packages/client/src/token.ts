/** A token, or how to get one: a function is called anew whenever one is needed, so that it may refresh it. */
export type TokenSource = string | ((why: { rejected: boolean }) => string | Promise<string>);

export const readToken = (source: TokenSource, rejected = false): string | Promise<string> =>
  typeof source === "string" ? source : source({ rejected });

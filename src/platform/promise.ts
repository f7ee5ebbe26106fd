/** The result of something that may be done at once, or later. */
export type MaybePromise<T = void> = T | Promise<T>;

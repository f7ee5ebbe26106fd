/** The result of something that may be done at once, or later. */
export type Work = void | Promise<void>;

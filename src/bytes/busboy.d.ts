/** The part of @fastify/busboy that is used: its multipart parser. Its own types would bring Node's globals along. */
declare module "@fastify/busboy/index.js" {
  export type PartStream = {
    /** Header names in lower case; each byte of a value is a character. */
    on(event: "header", listener: (header: Record<string, string[]>) => void): PartStream;
    on(event: "error", listener: (error: Error) => void): PartStream;
    on(event: "data", listener: (chunk: Uint8Array) => void): PartStream;
    on(event: "end", listener: () => void): PartStream;
    /** Chunks as they come. Leaving early does not destroy the stream if told so: the parser would wait for it for ever. */
    iterator(options: { destroyOnReturn: boolean }): AsyncIterableIterator<Uint8Array>;
    /** Lets the rest flow away unread. */
    resume(): PartStream;
    destroy(error?: Error): PartStream;
  };
  type Events = { part: (part: PartStream) => void; error: (error: Error) => void; finish: () => void };
  export class Dicer {
    constructor(options: { boundary: string; maxHeaderPairs?: number; maxHeaderSize?: number; partHwm?: number });
    on<E extends keyof Events>(event: E, listener: Events[E]): this;
    /** False after the closing delimiter: what follows it is no part. */
    readonly writable: boolean;
    write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
    end(): void;
  }
}

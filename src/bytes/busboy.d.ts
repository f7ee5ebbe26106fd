/** The part of @fastify/busboy that is used; its own types would bring Node's globals along. */
declare module "@fastify/busboy/index.js" {
  export type FileStream = {
    on(event: "error", listener: (error: Error) => void): FileStream;
    /** Chunks as they come. Leaving early does not destroy the stream if told so: the parser would wait for it for ever. */
    iterator(options: { destroyOnReturn: boolean }): AsyncIterableIterator<Uint8Array>;
    /** Lets the rest flow away unread. */
    resume(): FileStream;
    destroy(error?: Error): FileStream;
  };
  type Events = {
    file: (name: string, stream: FileStream, filename: string | undefined) => void;
    field: (name: string, value: string, isNameTruncated: boolean, isValueTruncated: boolean) => void;
    error: (error: Error) => void;
    finish: () => void;
    partsLimit: () => void;
  };
  export class Busboy {
    constructor(options: {
      headers: { "content-type": string };
      preservePath?: boolean;
      limits?: { fieldSize?: number; parts?: number; headerPairs?: number; headerSize?: number };
      fileHwm?: number;
      highWaterMark?: number;
    });
    on<E extends keyof Events>(event: E, listener: Events[E]): this;
    write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
    end(): void;
    destroy(error?: Error): void;
  }
}

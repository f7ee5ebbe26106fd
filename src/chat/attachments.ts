/**
 * Files in messages. A file that its own uploader sends is read by whoever may read the chat; who keeps files registers here
 * (src/wiring.ts). The log keeps a reference to the grant, which no client can write; a link is signed each time that a
 * message goes out.
 */
import { type Config, config } from "../config.ts";
import { type Ctx, objectContext } from "../context.ts";
import { AppError } from "../errors.ts";

/** As the sender names it: by its id, or by an address. */
export type NamedFile = { fileId: string } | { fileUrl: string };

export type FileKeeper = {
  /** Whether an address is one of a file of ours, without looking for it. */
  isAddressOfFile(settings: Config, fileUrl: string): boolean;
  /**
   * Lets the readers of `place` (`room:<id>`, `stream:<id>`) read a file of this user.
   * @returns what the log keeps, without a signature; null if there is no such file of theirs
   */
  grant(ctx: Ctx, grant: { place: string; userId: number; file: NamedFile }): Promise<string | null>;
  /** Takes it back. What the log keeps otherwise, a plain address, is none. */
  revoke(ctx: Ctx, kept: string): Promise<void>;
  /** The address that readers get: signed, for an hour, if it is one of a grant. `signed` false: without. */
  addressOf(settings: Config, kept: string, signed: boolean): string;
};

/** Addresses of clients are http(s) or a path (text.ts, `Link`), so that none of them begins so. */
const GRANTED = /^file:/;
export const isGranted = (kept: string | null): kept is string => kept !== null && GRANTED.test(kept);

let keeper: FileKeeper | undefined;

/** Called once, by src/wiring.ts. */
export function keepFilesBy(files: FileKeeper): void {
  keeper = files;
}

/** The files of one chat. */
export class Attachments {
  readonly #object: DurableObjectState;
  readonly #env: Env;
  readonly #place: string;

  constructor(object: DurableObjectState, env: Env, place: string) {
    this.#object = object;
    this.#env = env;
    this.#place = place;
  }

  /** A file of ours that a message names; null for none, and for what lies elsewhere. */
  named({ fileId, fileUrl }: { fileId?: string | null; fileUrl?: string | null }): NamedFile | null {
    if (fileId != null) return { fileId };
    return fileUrl != null && keeper?.isAddressOfFile(config(this.#env), fileUrl) ? { fileUrl } : null;
  }

  /**
   * What the log keeps of a named file. An address of somebody else's file stays as it is, and opens nothing.
   * @throws AppError NOT_FOUND an id of no file of theirs
   */
  async grant(userId: number, file: NamedFile): Promise<string> {
    const kept = await keeper?.grant(this.#context(), { place: this.#place, userId, file });
    if (kept != null) return kept;
    if ("fileUrl" in file) return file.fileUrl;
    throw new AppError("NOT_FOUND", "You have no such file.");
  }

  async revoke(kept: string | null): Promise<void> {
    if (isGranted(kept)) await keeper?.revoke(this.#context(), kept);
  }

  /** As readers get it. */
  shown<M extends { fileUrl: string | null }>(message: M): M {
    const { fileUrl } = message;
    return isGranted(fileUrl) ? { ...message, fileUrl: addressOf(this.#env, fileUrl) } : message;
  }

  /** What lists of rooms keep of a message: nothing signed, and by what to sign it when it is shown. */
  kept({ fileUrl }: { fileUrl: string | null }): { fileUrl: string | null; attachment?: string } {
    if (!isGranted(fileUrl)) return { fileUrl };
    return { fileUrl: addressOf(this.#env, fileUrl, false), attachment: fileUrl };
  }

  #context(): Ctx {
    return objectContext(this.#object, this.#env);
  }
}

/** The address that readers get for what a log keeps. */
export const addressOf = (env: Env, kept: string, signed = true): string =>
  keeper?.addressOf(config(env), kept, signed) ?? kept;

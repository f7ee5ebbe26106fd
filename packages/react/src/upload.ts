/** `useUpload`: files of any size, with their progress; one that was interrupted goes on where it was (tus). */
import { RoomcastError } from "@roomcast/client";
import { useMemo } from "react";
import { DetailedError, Upload } from "tus-js-client";
import { useSession, useStore } from "./context.ts";
import type { Session } from "./session.ts";
import { Store } from "./store.ts";

/** In pieces, so that little is sent twice after a break. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** Waits between tries, ms; a network that is gone for longer is waited for by `resume`. */
const RETRIES_MS = [0, 1000, 3000, 5000, 10_000];

export type UploadState = {
  state: "none" | "uploading" | "paused" | "failed" | "done";
  file: File | undefined;
  sentBytes: number;
  /** 0 to 1. */
  progress: number;
  /** Of the file once it is done: a message's `fileId`. */
  fileId: string | undefined;
  error: RoomcastError | undefined;
};

export type UploadPlace = { folder?: string; visibility?: "private" | "public" };

export type UploadActions = {
  /** Resolves with the file's id. A file that was begun before, even by an earlier page, goes on. @throws RoomcastError */
  start(file: File, place?: UploadPlace): Promise<string>;
  pause(): void;
  resume(): void;
  /** Gives it up, here and at the service; of one that is done, forgets it here alone. */
  cancel(): void;
};

const NONE: UploadState = {
  state: "none",
  file: undefined,
  sentBytes: 0,
  progress: 0,
  fileId: undefined,
  error: undefined,
};

class UploadStore extends Store<UploadState> {
  readonly #session: Session;
  #upload: Upload | undefined;

  constructor(session: Session) {
    super(NONE);
    this.#session = session;
  }

  protected start(): void {}

  /** Its bytes stay with the service for a while: starting the same file again goes on with them. */
  protected stop(): void {
    this.#upload?.abort();
    this.#upload = undefined;
  }

  readonly actions: UploadActions = {
    start: (file, place = {}) => this.#begin(file, place),
    pause: () => {
      this.#upload?.abort();
      if (this.getState().state === "uploading") this.become({ state: "paused" });
    },
    resume: () => {
      this.#upload?.start();
      if (this.#upload) this.become({ state: "uploading", error: undefined });
    },
    cancel: () => {
      // A finished upload that is given up takes its file with it.
      if (this.getState().state !== "done") this.#upload?.abort(true).catch(() => undefined);
      this.#upload = undefined;
      this.become(NONE);
    },
  };

  #begin(file: File, place: UploadPlace): Promise<string> {
    this.#upload?.abort();
    this.become({ ...NONE, state: "uploading", file });
    return new Promise((resolve, reject) => {
      let fileId: string | undefined;
      const upload = new Upload(file, {
        endpoint: new URL("/api/v1/files/tus", this.#session.url).href,
        chunkSize: PIECE_BYTES,
        retryDelays: RETRIES_MS,
        removeFingerprintOnSuccess: true,
        metadata: { filename: file.name, filetype: file.type, ...place },
        onBeforeRequest: async (request) =>
          request.setHeader("Authorization", `Bearer ${await this.#session.readToken()}`),
        onAfterResponse: (_, response) => {
          fileId = response.getHeader("Upload-File-Id") ?? fileId;
        },
        onProgress: (sentBytes) => this.become({ sentBytes, progress: sentBytes / file.size }),
        onSuccess: () => {
          this.become({ state: "done", progress: 1, fileId });
          resolve(fileId ?? "");
        },
        onError: (thrown) => {
          const error = failureOf(thrown);
          this.become({ state: "failed", error });
          reject(error);
        },
      });
      this.#upload = upload;
      void this.#goOn(upload);
    });
  }

  async #goOn(upload: Upload): Promise<void> {
    const [previous] = await upload.findPreviousUploads().catch(() => []);
    if (previous) upload.resumeFromPreviousUpload(previous);
    if (this.#upload === upload) upload.start();
  }
}

/** The service's refusal, in its own words. */
function failureOf(thrown: Error): RoomcastError {
  const response = thrown instanceof DetailedError ? thrown.originalResponse : null;
  const lost = new RoomcastError("CONNECTION_LOST", "The upload was interrupted.");
  if (!response) return lost;
  try {
    const { code, message } = JSON.parse(response.getBody()).error;
    return new RoomcastError(code, message, { status: response.getStatus() });
  } catch {
    return lost;
  }
}

/** One upload at a time; it ends with the component. @throws Error outside a RoomcastProvider */
export function useUpload(): UploadState & UploadActions {
  const session = useSession();
  const store = useMemo(() => new UploadStore(session), [session]);
  const state = useStore(store);
  return useMemo(() => ({ ...state, ...store.actions }), [state, store]);
}

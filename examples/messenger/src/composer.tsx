/** Where one writes: a message, an answer to one, a change of one's own, a file. Enter sends, Shift+Enter begins a line. */
import { type RoomActions, type RoomEntry, type RoomState, useSession, useUpload } from "@roomcast/react";
import { type ClipboardEvent, type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { EmojiButton } from "./emoji.tsx";
import { Icon, IconButton } from "./icons.tsx";
import { problemOf, sizeText } from "./words.ts";

/** What the next message answers, or which one it changes. */
export type Draft = { replyTo?: RoomEntry; editing?: RoomEntry };

type ComposerProps = {
  roomId: string;
  room: RoomState & RoomActions;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  attempt: (work: Promise<unknown>) => void;
};

const LONGEST = 5000;

/** What somebody has written in a room is there when they come back to it. */
const drafts = new Map<string, string>();

export function Composer({ roomId, room, draft: { replyTo, editing }, onDraft, attempt }: ComposerProps) {
  const { userId } = useSession();
  const draftKey = `${userId} ${roomId}`;
  const [text, setText] = useState(() => editing?.content ?? drafts.get(draftKey) ?? "");
  const field = useRef<HTMLTextAreaElement>(null);
  const upload = useUpload();

  useEffect(() => {
    if (replyTo || editing) field.current?.focus();
  }, [replyTo, editing]);
  // A field as high as its text.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is the reason.
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + 2, 180)}px`;
  }, [text]);

  const write = (next: string) => {
    setText(next);
    if (editing) return;
    drafts.set(draftKey, next);
    if (next) room.type();
  };
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    const content = text.trim();
    if (content === "") return;
    if (editing) {
      if (content !== editing.content) attempt(room.edit(editing.id, content));
    } else {
      room.send({ content, replyTo: replyTo?.id ?? null });
      write("");
    }
    onDraft({});
    field.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) return submit(event);
    if (event.key === "Escape") return onDraft({});
    if (event.key !== "ArrowUp" || text !== "") return;
    const last = room.messages.findLast((one) => one.userId === userId && one.state === "sent" && one.type === "text");
    if (last) onDraft({ editing: last });
  };
  const attach = async (file: File | undefined) => {
    if (!file) return;
    try {
      const fileId = await upload.start(file, { folder: "chat" });
      room.send({ content: "", type: kindOf(file), fileId, replyTo: replyTo?.id ?? null });
      onDraft({});
      upload.cancel();
    } catch {
      // What went wrong stands beside the file.
    }
  };
  const paste = (event: ClipboardEvent) => {
    const [file] = event.clipboardData.files;
    if (!file) return;
    event.preventDefault();
    void attach(file);
  };

  return (
    <form
      className="composer"
      onSubmit={submit}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void attach(event.dataTransfer.files[0]);
      }}
    >
      {(replyTo || editing) && <About replyTo={replyTo} editing={editing} onEnd={() => onDraft({})} />}
      {upload.state !== "none" && <Sending upload={upload} />}
      <div className="write">
        {!editing && <AttachButton onFile={attach} />}
        <textarea
          ref={field}
          rows={1}
          value={text}
          maxLength={LONGEST}
          placeholder="Write a message"
          aria-label="Message"
          enterKeyHint="send"
          onChange={({ target }) => write(target.value)}
          onKeyDown={press}
          onPaste={paste}
        />
        <EmojiButton
          label="Emoji"
          onChoose={(emoji) => {
            write(text + emoji);
            field.current?.focus();
          }}
        />
        <button
          type="submit"
          className="primary go"
          aria-label={editing ? "Save" : "Send"}
          disabled={text.trim() === ""}
        >
          <Icon name={editing ? "check" : "send"} />
        </button>
      </div>
    </form>
  );
}

type AboutProps = Draft & { onEnd: () => void };

/** The message that is answered or changed. */
const About = ({ replyTo, editing, onEnd }: AboutProps) => (
  <div className="about">
    <Icon name={editing ? "edit" : "reply"} size={18} />
    <span className="cut">
      <b>{editing ? "Editing" : `To ${replyTo?.username}`}</b> {(editing ?? replyTo)?.content || "a file"}
    </span>
    <IconButton name="close" label={editing ? "Leave it as it was" : "Do not reply"} size={18} onClick={onEnd} />
  </div>
);

function Sending({ upload }: { upload: ReturnType<typeof useUpload> }) {
  const { file, state, progress, error } = upload;
  return (
    <div className="about">
      <Icon name={state === "failed" ? "failed" : "file"} size={18} />
      <span className="cut">
        <b>{file?.name}</b>{" "}
        {error ? (
          <span className="problem">{problemOf(error)}</span>
        ) : (
          `${Math.round(progress * 100)}% of ${sizeText(file?.size ?? 0)}`
        )}
      </span>
      {state === "failed" && error?.status === undefined && (
        <button type="button" className="small" onClick={upload.resume}>
          Go on
        </button>
      )}
      {!error && <progress value={progress} max={1} aria-label="Upload" />}
      <IconButton name="close" label="Do not send the file" size={18} onClick={upload.cancel} />
    </div>
  );
}

function AttachButton({ onFile }: { onFile: (file: File | undefined) => Promise<void> }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton name="attach" label="Send a file" onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        hidden
        aria-label="File"
        onChange={({ target }) => {
          void onFile(target.files?.[0]);
          target.value = "";
        }}
      />
    </>
  );
}

const KINDS = ["image", "video", "audio"] as const;
const kindOf = (file: File) => KINDS.find((kind) => file.type.startsWith(`${kind}/`)) ?? "file";

/** A small choice of emoji that hangs from its button. */
import { useEffect, useRef, useState } from "react";
import { IconButton } from "./icons.tsx";

const EMOJI = [
  "👍",
  "❤️",
  "😂",
  "😮",
  "😢",
  "🙏",
  "🎉",
  "🔥",
  "👏",
  "✅",
  "👀",
  "🚀",
  "😀",
  "😍",
  "🤔",
  "👎",
  "🥳",
  "😅",
];

type EmojiButtonProps = { label: string; onChoose: (emoji: string) => void; tabIndex?: number };

export function EmojiButton({ label, onChoose, tabIndex }: EmojiButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: Event) => {
      const isInside = event.target instanceof Node && ref.current?.contains(event.target);
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !isInside) setOpen(false);
    };
    addEventListener("keydown", close);
    addEventListener("pointerdown", close);
    return () => {
      removeEventListener("keydown", close);
      removeEventListener("pointerdown", close);
    };
  }, [isOpen]);
  return (
    <span className="emoji" ref={ref} data-open={isOpen}>
      <IconButton
        name="smile"
        label={label}
        tabIndex={tabIndex ?? 0}
        isPressed={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <fieldset className="emoji-choice" aria-label="Emoji">
          {EMOJI.map((emoji) => (
            <button
              key={emoji}
              type="button"
              onClick={() => {
                setOpen(false);
                onChoose(emoji);
              }}
            >
              {emoji}
            </button>
          ))}
        </fieldset>
      )}
    </span>
  );
}

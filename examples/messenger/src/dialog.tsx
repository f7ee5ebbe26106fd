/** A modal dialog: Escape, a click beside it and its cross close it; the browser keeps the focus in it. */
import { type ReactNode, useEffect, useRef } from "react";
import { IconButton } from "./icons.tsx";

type DialogProps = { title: string; onClose: () => void; children: ReactNode };

export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same.
    <dialog
      ref={ref}
      aria-label={title}
      onClose={onClose}
      onClick={({ target }) => {
        if (target === ref.current) onClose();
      }}
    >
      <header>
        <h2>{title}</h2>
        <IconButton name="close" label="Close" onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}

/** What opens beside a conversation, and over it on a phone. */
import type { ReactNode } from "react";
import { IconButton } from "./icons.tsx";

type PanelProps = { title: string; onClose: () => void; children: ReactNode };

export const Panel = ({ title, onClose, children }: PanelProps) => (
  <aside
    className="panel"
    aria-label={title}
    onKeyDown={({ key }) => {
      if (key === "Escape") onClose();
    }}
  >
    <header>
      <h2>{title}</h2>
      <IconButton name="close" label={`Close ${title.toLowerCase()}`} onClick={onClose} />
    </header>
    {children}
  </aside>
);

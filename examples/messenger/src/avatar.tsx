/** A person or a room: their picture, or the first letter of their name in a colour of its own. */
import { hueOf, initialOf } from "./words.ts";

type AvatarProps = { name: string; url?: string | null; size?: "small" | "large"; isOnline?: boolean | undefined };

export function Avatar({ name, url, size, isOnline }: AvatarProps) {
  return (
    <span className={`avatar hue-${hueOf(name)} ${size ?? ""}`} aria-hidden="true">
      {url ? <img src={url} alt="" /> : initialOf(name)}
      {isOnline && <span className="dot" />}
    </span>
  );
}

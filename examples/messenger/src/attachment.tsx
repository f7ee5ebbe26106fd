/** A file in a message: shown where a browser can, else named. */
import { useState } from "react";
import { Icon } from "./icons.tsx";

type AttachmentProps = { url: string; type: string };

/** The last part of its address. */
function fileName(url: string): string {
  const [path = ""] = url.split("?");
  try {
    return decodeURIComponent(path.split("/").at(-1) ?? "");
  } catch {
    return "file";
  }
}

/**
 * A signed link ends after a while, and when somebody leaves the room. Who is signed in here may read the file without one, by the
 * service's cookie.
 */
export function Attachment({ url: signed, type }: AttachmentProps) {
  const [failures, setFailures] = useState(0);
  const [address = signed] = signed.split("?");
  const url = failures === 0 ? signed : address;
  const isBroken = failures > 1;
  const name = fileName(signed);
  const broken = () => setFailures(failures + 1);
  if (type === "image" && !isBroken) {
    return (
      <a className="picture" href={url} target="_blank" rel="noreferrer" aria-label={`Open ${name}`}>
        <img src={url} alt={name} onError={broken} />
      </a>
    );
  }
  // biome-ignore lint/a11y/useMediaCaption: what people send each other has no captions.
  if (type === "video" && !isBroken) return <video src={url} controls preload="metadata" onError={broken} />;
  // biome-ignore lint/a11y/useMediaCaption: as above.
  if (type === "audio" && !isBroken) return <audio src={url} controls preload="metadata" onError={broken} />;
  return (
    <a className="file" href={url} target="_blank" rel="noreferrer">
      <Icon name="file" />
      <span className="cut">{name}</span>
    </a>
  );
}

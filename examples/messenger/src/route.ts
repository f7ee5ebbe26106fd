/** Which room is open stands in the address, behind the `#`: a reload and the back button keep it. */
import { useSyncExternalStore } from "react";

function openId(): string | undefined {
  const [, id] = /^#\/(.+)$/.exec(location.hash) ?? [];
  return id === undefined ? undefined : decodeURIComponent(id);
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

export const useOpenRoom = (): string | undefined => useSyncExternalStore(subscribe, openId);

export const hrefOf = (roomId: string): string => `#/${encodeURIComponent(roomId)}`;

export function openRoom(roomId: string): void {
  location.hash = hrefOf(roomId);
}

export function leaveRoom(): void {
  location.hash = "";
}

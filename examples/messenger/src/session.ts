/**
 * Who is signed in. It is the session of the service's own pages, so that who signs in on one of them is signed in here. An app of
 * your own keeps its own: a token and a user are all that is needed.
 */
import { useSyncExternalStore } from "react";

const pages = await import(/* @vite-ignore */ "/session.js");
const account = await import(/* @vite-ignore */ "/account.js");
const { Refusal } = await import(/* @vite-ignore */ "/api.js");

export type Session = { token: string; user: { id: number; username: string; displayName: string | null } };

type Kept = { token: string; expiresAt: string; user: Session["user"] & { role: string } };

let current: Session | null = pages.currentSession();
const listeners = new Set<() => void>();
pages.onSession((session: Session | null) => {
  current = session;
  for (const listener of listeners) listener();
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export const useCurrentSession = (): Session | null => useSyncExternalStore(subscribe, () => current);

export const keepSession = (session: Kept): void => pages.keepSession(session);
export const dropSession = (reason: string): void => pages.dropSession(reason);
export const becomeGuest = (): Promise<void> => account.becomeGuest();

/** What the service's own pages throw: its message is for people. */
export const isRefusal = (error: unknown): error is Error => error instanceof Refusal;

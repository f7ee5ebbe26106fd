/** The session of the components below, and how they read its stores. */
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { MemoryStorage } from "./memory-storage.ts";
import { outboxes } from "./outbox.ts";
import { Session, type SessionOptions } from "./session.ts";
import type { Store } from "./store.ts";

const SessionContext = createContext<Session | null>(null);

export type RoomcastProviderProps = SessionOptions & { children?: ReactNode };

/**
 * Signs the components below in. What was unsent when the app was closed goes out as soon as this is there. Functions among the
 * properties may be new ones on each render.
 */
export function RoomcastProvider({
  children,
  url,
  token,
  userId,
  storage,
  onSignedOut,
}: RoomcastProviderProps): ReactNode {
  const latest = useRef({ token, onSignedOut });
  latest.current = { token, onSignedOut };
  const [memory] = useState(() => new MemoryStorage());
  const kept = storage ?? memory;
  const kind = typeof token === "string" ? token : "function";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `kind` stands for `token`, which may be a new function each time.
  const session = useMemo(
    () =>
      new Session({
        url,
        userId,
        storage: kept,
        token: (why) => {
          const source = latest.current.token;
          return typeof source === "string" ? source : source(why);
        },
        onSignedOut: (error) => latest.current.onSignedOut?.(error),
      }),
    [url, kind, userId, kept],
  );
  useEffect(() => outboxes.of(session).subscribe(() => undefined), [session]);
  return createElement(SessionContext.Provider, { value: session }, children);
}

/** @throws Error outside a RoomcastProvider */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("This needs a <RoomcastProvider> around it.");
  return session;
}

export const useStore = <State>(store: Store<State>): State =>
  useSyncExternalStore(store.subscribe, store.getState, store.getInitialState);

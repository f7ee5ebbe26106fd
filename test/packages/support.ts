/** Hooks of @roomcast/react in a page, each as its own person, in React's strict mode, against a real server. */
import { answerOf, roomcast, type Schema } from "@roomcast/client";
import { RoomcastProvider, type RoomcastProviderProps } from "@roomcast/react";
import { createElement, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, inject, vi } from "vitest";

export const url = inject("roomcastUrl");
export type Person = { id: number; token: string; username: string };
export const PASSWORD = "correct horse";

let minted = 0;
export async function register(): Promise<Person> {
  minted += 1;
  const username = `person_${Date.now().toString(36)}_${minted}`;
  const json = { username, email: `${username}@example.com`, password: PASSWORD };
  const made = await answerOf(roomcast(url).auth.register.$post({ json }));
  if (!("token" in made)) throw new Error(made.message);
  return { id: made.user.id, token: made.token, username };
}

export const apiOf = ({ token }: Person) => roomcast(url, { token });

export const makeRoom = (owner: Person, ...members: Person[]): Promise<Schema["Room"]> =>
  answerOf(
    apiOf(owner).rooms.$post({
      json: { name: "talk", isGroup: true, memberIds: members.map(({ id }) => id), joinPolicy: "members" },
    }),
  );

const roots = new Set<Root>();
afterEach(() => {
  for (const root of roots) root.unmount();
  roots.clear();
});

export type Rendered<T> = {
  readonly current: T;
  rerender(more: Partial<RoomcastProviderProps>): void;
  unmount(): void;
};

function Probe({ render }: { render: () => void }) {
  render();
  return null;
}

/** A hook in a component of its own; `current` is what it answered last. */
export function renderHook<T>(hook: () => T, person: Person, more: Partial<RoomcastProviderProps> = {}): Rendered<T> {
  const answers: T[] = [];
  const root = createRoot(document.createElement("div"));
  roots.add(root);
  const probe = createElement(Probe, { render: () => void answers.push(hook()) });
  const session = { url, token: person.token, userId: person.id, ...more };
  const rerender = (changed: Partial<RoomcastProviderProps>) =>
    root.render(createElement(StrictMode, null, createElement(RoomcastProvider, { ...session, ...changed }, probe)));
  rerender({});
  return {
    rerender,
    get current() {
      const last = answers.at(-1);
      if (last === undefined) throw new Error("It was not rendered yet.");
      return last;
    },
    unmount: () => {
      roots.delete(root);
      root.unmount();
    },
  };
}

export const until = (isSo: () => unknown) =>
  vi.waitUntil(
    () => {
      try {
        return Boolean(isSo());
      } catch {
        return false;
      }
    },
    { timeout: 10_000, interval: 10 },
  );

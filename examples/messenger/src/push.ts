/** Web Push to this browser, for who is away (docs/push.md): whether it can be had, whether it is on, and the switch. */
import { useSession } from "@roomcast/react";
import { useCallback, useEffect, useState } from "react";
import { openRoom } from "./route.ts";
import { problemOf } from "./words.ts";

/** The service's own pages use the same one: a browser is registered once, however many of them are open. */
const WORKER = "/push-worker.js";
/** Whose browser this is: somebody else who signs in here is not pushed to before they ask for it. */
const KEY = "roomcast.push";

const isPossible = isSecureContext && "serviceWorker" in navigator && "PushManager" in window;

type Session = ReturnType<typeof useSession>;

async function register({ api, answer }: Session, subscription: PushSubscription): Promise<string> {
  const { endpoint = "", keys: { p256dh = "", auth = "" } = {} } = subscription.toJSON();
  return (await answer(api.push.subscriptions.$post({ json: { endpoint, keys: { p256dh, auth } } }))).id;
}

/** A subscription ends with the session that registered it, so it is registered at each start. @returns its id, if it was on */
async function registerAgain(session: Session): Promise<string | undefined> {
  if (localStorage.getItem(KEY) !== String(session.userId) || Notification.permission !== "granted") return undefined;
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  return subscription ? register(session, subscription) : undefined;
}

async function subscribe(applicationServerKey: string): Promise<PushSubscription> {
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    // One that was made for other keys of the service is in the way.
    const before = await pushManager.getSubscription();
    if (!before) throw error;
    await before.unsubscribe();
    return pushManager.subscribe(options);
  }
}

async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

export type Push = {
  /** Whether this browser and the service can. */
  isOffered: boolean;
  isOn: boolean;
  problem: string;
  /** To be called by a press: the browser asks for leave. */
  toggle(): Promise<void>;
};

export function usePush(): Push {
  const session = useSession();
  const [key, setKey] = useState<string>();
  const [id, setId] = useState<string>();
  const [problem, setProblem] = useState("");

  useEffect(() => {
    if (!isPossible) return;
    let isShown = true;
    const start = async () => {
      const offered = await session.answer(session.api.push.key.$get());
      const registered = await registerAgain(session);
      if (!isShown) return;
      setKey(offered.key);
      setId(registered);
    };
    // A service that has no Web Push, or cannot be reached now: there is no switch.
    start().catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [session]);

  const toggle = useCallback(async () => {
    setProblem("");
    try {
      if (id === undefined) setId(await turnOn(session, key ?? ""));
      else {
        await turnOff(session, id);
        setId(undefined);
      }
    } catch (error) {
      setProblem(error instanceof Refused ? error.message : problemOf(error));
    }
  }, [session, key, id]);

  return { isOffered: key !== undefined, isOn: id !== undefined, problem, toggle };
}

/** The browser, or whoever uses it, does not want to. */
class Refused extends Error {}

async function turnOn(session: Session, key: string): Promise<string> {
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Refused("Notifications are blocked for this page. Your browser's settings can allow them.");
  }
  const subscription = await subscribe(key).catch(() => {
    throw new Refused("This browser could not be reached by its push service.");
  });
  const id = await register(session, subscription);
  localStorage.setItem(KEY, String(session.userId));
  return id;
}

async function turnOff({ api, answer }: Session, id: string): Promise<void> {
  localStorage.removeItem(KEY);
  await unsubscribe();
  await answer(api.push.subscriptions[":id"].$delete({ param: { id } }));
}

/** A notification that was clicked opens its room. */
export function useClickedPush(): void {
  useEffect(() => {
    if (!isPossible) return;
    const hear = ({ data }: MessageEvent) => {
      if (data?.type === "push:clicked" && typeof data.payload?.roomId === "string") openRoom(data.payload.roomId);
    };
    navigator.serviceWorker.addEventListener("message", hear);
    return () => navigator.serviceWorker.removeEventListener("message", hear);
  }, []);
}

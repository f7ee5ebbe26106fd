/** Signing in, and making an account. */
import { answerOf, RoomcastError, roomcast } from "@roomcast/client";
import { type FormEvent, useEffect, useState } from "react";
import { goToProvider, providerTitle, readProviders } from "./providers.ts";
import { becomeGuest, isRefusal, keepSession } from "./session.ts";
import { problemOf } from "./words.ts";

const api = roomcast(location.origin);
/** `npm start` makes these two on the machine it runs on. */
const DEMO = ["demo", "friend"];
const isLocal = ["localhost", "127.0.0.1"].includes(location.hostname);

type Fields = { username: string; password: string; email: string };

async function enter(isNew: boolean, { username, password, email }: Fields): Promise<void> {
  const call = isNew
    ? api.auth.register.$post({ json: { username, password, email } })
    : api.auth.login.$post({ json: { username, password } });
  const answer = await answerOf(call);
  // Where the email has to be verified first, the answer says so, and there is no token yet.
  if (!("token" in answer)) throw new NotYet(answer.message);
  keepSession(answer);
}

/** The account is made, but cannot be used yet; the message says what to do. */
class NotYet extends Error {
  override name = "NotYet";
}

function saidOf(error: unknown): string {
  if (error instanceof NotYet) return `${error.message}.`;
  if (isRefusal(error)) return error.message;
  const isWrong = error instanceof RoomcastError && error.code === "UNAUTHORIZED";
  return isWrong ? "The name or the password is wrong." : problemOf(error);
}

/** Who else signs people in. */
function useProviders(): readonly string[] {
  const [names, setNames] = useState<readonly string[]>([]);
  useEffect(() => {
    // Without the list there is still the password.
    readProviders().then(setNames, console.warn);
  }, []);
  return names;
}

export function Gate() {
  const [isNew, setNew] = useState(false);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const providers = useProviders();
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(saidOf(error));
      setBusy(false);
    }
  };
  // Who comes back by the browser's button finds the page as it was: nothing of it may be busy.
  const leaveFor = (provider: string) => {
    goToProvider(provider).catch((error) => setProblem(saidOf(error)));
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const field = (name: string) => String(given.get(name) ?? "");
    void act(() => enter(isNew, { username: field("username"), password: field("password"), email: field("email") }));
  };
  return (
    <div className="gate">
      <section className="card entry">
        <h1>{isNew ? "Make an account" : "Sign in"}</h1>
        <p className="muted">Rooms, direct messages, reactions, files and search: all live.</p>
        <form className="form" onSubmit={submit}>
          <label>
            {isNew ? "Username" : "Username or email"}
            <input name="username" autoComplete="username" required minLength={isNew ? 3 : 1} maxLength={100} />
          </label>
          {isNew && (
            <label>
              Email
              <input name="email" type="email" autoComplete="email" required />
            </label>
          )}
          <label>
            Password
            <input
              name="password"
              type="password"
              autoComplete={isNew ? "new-password" : "current-password"}
              required
              minLength={isNew ? 8 : 1}
            />
            {isNew && <small>At least 8 characters</small>}
          </label>
          <p className="problem" role="alert">
            {problem}
          </p>
          <button type="submit" className="primary" disabled={isBusy}>
            {isNew ? "Make the account" : "Sign in"}
          </button>
        </form>
        {!isNew && (
          <p className="way-back">
            <a href="/account/forgot">Forgotten your password?</a>
          </p>
        )}
        <p className="or">or</p>
        <div className="ways">
          {providers.map((name) => (
            <button key={name} type="button" disabled={isBusy} onClick={() => leaveFor(name)}>
              Continue with {providerTitle(name)}
            </button>
          ))}
          <button type="button" disabled={isBusy} onClick={() => setNew(!isNew)}>
            {isNew ? "I have an account" : "Make an account"}
          </button>
          <button type="button" disabled={isBusy} onClick={() => void act(becomeGuest)}>
            Continue as a guest
          </button>
        </div>
        {isLocal && (
          <p className="muted hint">
            On this machine there are two accounts to try:{" "}
            {DEMO.map((username, index) => (
              <span key={username}>
                {index > 0 && " and "}
                <button
                  type="button"
                  className="plain"
                  disabled={isBusy}
                  onClick={() => void act(() => enter(false, { username, password: "demo-password", email: "" }))}
                >
                  {username}
                </button>
              </span>
            ))}
            . Open one here and the other in a private window.
          </p>
        )}
      </section>
    </div>
  );
}

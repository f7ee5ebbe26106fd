/** A product's own backend, for tests: its keys, its people, and its calls. */
import { mintAdmin, run } from "./admin.ts";
import { type Answer, call, type TestUser } from "./api.ts";
import { freshExternalId } from "./shared.ts";

let admin: Promise<TestUser> | undefined;
/** One admin for all keys of a test file. */
export const theAdmin = (): Promise<TestUser> => {
  admin ??= mintAdmin("keeper");
  return admin;
};

/** A fresh key with these scopes. */
export async function mintKey(...scopes: string[]): Promise<{ id: string; key: string }> {
  const body = { name: `backend ${scopes.join(" ")}`, scopes };
  const made = await call("/admin/keys", { method: "POST", token: (await theAdmin()).token, body });
  if (made.status !== 201) throw new Error(`POST /admin/keys answered ${made.status}: ${JSON.stringify(made.body)}`);
  return made.body;
}

/** A call of the server API below `/server`. */
export const serve = ({ key }: { key: string }, method: string, path: string, body?: unknown): Promise<Answer> =>
  call(`/server${path}`, { method, token: key, ...(body === undefined ? {} : { body }) });

export type OwnUser = { id: number; externalId: string; token: string };

/** A user whom the backend makes and signs in. */
export async function mintOwn(key: { key: string }, profile: object = {}): Promise<OwnUser> {
  const externalId = freshExternalId();
  const made = await serve(key, "PUT", `/users/${externalId}`, profile);
  const signedIn = await serve(key, "POST", "/tokens", { externalId });
  if (made.status !== 201 || signedIn.status !== 200) throw new Error(JSON.stringify([made.body, signedIn.body]));
  return { id: Number(made.body.id), externalId, token: String(signedIn.body.token) };
}

/** What was recorded of a key's calls. */
export const deedsOfKey = async ({ id }: { id: string }) =>
  (
    await run<{ action: string; target_type: string; target_id: string }>(
      "SELECT action, target_type, target_id FROM audit WHERE key_id = ? ORDER BY id",
      id,
    )
  ).map((row) => `${row.action} ${row.target_type} ${row.target_id}`);

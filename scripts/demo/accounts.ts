/** The people of the demo world, registered once, with a face each. */
import { answerOf, RoomcastError, roomcast } from "../../packages/client/src/index.ts";
import { type Account, accountOf, uploadFile } from "../api.ts";
import { PASSWORD, PEOPLE, type Profile, SPAMMER } from "./people.ts";
import { avatar } from "./pictures.ts";

export type Person = Account & { role: string; registeredAt: Date };

/** Everybody, by username; `by` throws for names that nobody has. */
export class People {
  readonly all: Person[];
  /** Who may still do things. */
  readonly active: Person[];

  constructor(all: Person[]) {
    this.all = all;
    this.active = all.filter(({ username }) => username !== SPAMMER);
  }

  by(username: string): Person {
    const person = this.all.find((one) => one.username === username);
    if (!person) throw new Error(`Nobody of the demo world is called ${username}.`);
    return person;
  }
}

/** Registers whom there is not yet, and signs the others in. A banned account cannot sign in; then it was all made before. */
export async function makePeople(origin: string): Promise<People> {
  const people = await Promise.all(PEOPLE.map((profile) => makePerson(origin, profile)));
  return new People(people.filter((person) => person !== undefined));
}

async function makePerson(origin: string, profile: Profile): Promise<Person | undefined> {
  const { username, fullName, bio } = profile;
  const { user, token } = (await register(origin, profile)) ?? (await signIn(origin, username)) ?? {};
  if (!user || !token) return undefined;
  const account = accountOf(origin, { user, token });
  if (user.avatarUrl === null) {
    const face = { name: `${username}.svg`, type: "image/svg+xml", bytes: avatar(profile) };
    const { path } = await uploadFile(origin, account, face, { folder: "avatars", visibility: "public" });
    const json = { fullName, displayName: fullName, bio, avatarUrl: path };
    await answerOf(account.api.auth.me.$patch({ json }));
  }
  return { ...account, role: user.role, registeredAt: new Date(user.createdAt) };
}

const isRefusedWith = (error: unknown, code: string): boolean => error instanceof RoomcastError && error.code === code;

/** Undefined: there is such an account. */
async function register(origin: string, { username }: Profile) {
  const json = { username, email: `${username}@example.com`, password: PASSWORD };
  try {
    const made = await answerOf(roomcast(origin).auth.register.$post({ json }));
    if (!("token" in made)) throw new Error("This server wants verified emails, which the demo's people have not.");
    return made;
  } catch (error) {
    if (isRefusedWith(error, "CONFLICT")) return undefined;
    throw error;
  }
}

/** Undefined: the account is banned. */
async function signIn(origin: string, username: string) {
  try {
    return await answerOf(roomcast(origin).auth.login.$post({ json: { username, password: PASSWORD } }));
  } catch (error) {
    if (username === SPAMMER && isRefusedWith(error, "FORBIDDEN")) return undefined;
    if (isRefusedWith(error, "UNAUTHORIZED")) {
      throw new Error(`There is an account ${username} with another password than the demo's: it is left alone.`);
    }
    throw error;
  }
}

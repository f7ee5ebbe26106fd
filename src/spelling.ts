/**
 * Clients of other products write what they always wrote: camelCase or snake_case, numbers as text, 0 and 1 for no and yes
 * (SPEC 14). This puts it into the contract's one spelling, before it is checked, as the schema says. It refuses nothing
 * but two spellings of one key that differ; all else is left to the schema.
 */
import { z } from "zod";

/** What a contract says of a field, beyond its schema. */
type Note = {
  /** Other names of the field, besides its own in the other case. */
  aliases?: readonly string[];
  /** Passed on as it is. */
  isVerbatim?: true;
  /** The id of a user, who may be named instead. */
  isUser?: true;
};
const Notes = z.registry<Note>();

/** The same schema, with this said of it beside what was said before. */
function noted<S extends z.ZodType>(schema: S, note: Note): S {
  const copy = schema.clone();
  Notes.add(copy, { ...Notes.get(schema), ...note });
  return copy;
}

/** The same field, known to some clients by other names as well. The docs keep the one it has. */
export const alsoNamed = <S extends z.ZodType>(schema: S, ...aliases: string[]): S => noted(schema, { aliases });

/** The same schema, whose value is nobody's business but the receiver's. */
export const verbatim = <S extends z.ZodType>(schema: S): S => noted(schema, { isVerbatim: true });

/** The id of a user; in its place clients may write what the user is called (auth/user-names.ts). */
export const userRef = <S extends z.ZodType>(schema: S): S => noted(schema, { isUser: true });

/** What people may be called: the longest is an `externalId` (SPEC 12). */
const NAME_MAX_CHARS = 255;
/** People who may be named in one input; as many as the longest list of ids takes. The schema refuses what is beyond. */
const NAMES_MAX = 500;
/** Always an id of our own, and none if it is spelled otherwise than one: never somebody's name (SPEC 14). */
const DIGITS = /^\d+$/;

/** Ids of people by what they were called. */
export type UserIds = ReadonlyMap<string, number>;

/** Input in the contract's spelling, the keys that were written twice and differently, and the people who are named in it. */
export type Respelled = { value: unknown; conflicts: PropertyKey[][]; names: string[] };

/** `path`: where in the input the respelling is; one array, added to on the way in and taken from on the way out. */
type Notebook = { conflicts: PropertyKey[][]; names: string[]; ids: UserIds; path: PropertyKey[] };
/** Answers the value itself if it is spelled as the contract spells it already. */
type Respell = (value: unknown, notebook: Notebook) => unknown;

const asItIs: Respell = (value) => value;
const known = new WeakMap<z.core.$ZodType, Respell>();

const NOBODY: UserIds = new Map();

/** `value` is not changed. `ids`: whose names are known; the others' are answered in `names`. */
export function respell(schema: z.core.$ZodType, value: unknown, ids: UserIds = NOBODY): Respelled {
  const notebook: Notebook = { conflicts: [], names: [], ids, path: [] };
  const respelled = respellerOf(schema)(value, notebook);
  return { value: respelled, conflicts: notebook.conflicts, names: notebook.names };
}

function respellerOf(schema: z.core.$ZodType): Respell {
  let respeller = known.get(schema);
  if (!respeller) {
    respeller = noteOf(schema, "isVerbatim") ? asItIs : noteOf(schema, "isUser") ? user : make(schema);
    known.set(schema, respeller);
  }
  return respeller;
}

function make(schema: z.core.$ZodType): Respell {
  const inner = unwrap(schema);
  if (inner) return respellerOf(inner);
  if (schema instanceof z.ZodObject) return object(schema.shape);
  if (schema instanceof z.ZodArray) return array(respellerOf(schema.element));
  if (schema instanceof z.ZodRecord) return record(respellerOf(schema.valueType));
  if (schema instanceof z.ZodDiscriminatedUnion) {
    return union({ options: schema.options, takes: isNamedBy(schema.def.discriminator) });
  }
  if (schema instanceof z.ZodUnion) return union({ options: schema.options, takes: isValid });
  if (schema instanceof z.ZodNumber) return number;
  if (schema instanceof z.ZodBoolean) return boolean;
  if (schema instanceof z.ZodLiteral && [...schema.values].every((value) => typeof value === "boolean")) return boolean;
  return asItIs;
}

/** What a wrapper is around. Of a pipe, what comes in: a preprocessing step itself takes anything. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodPipe) return schema.in instanceof z.ZodTransform ? schema.out : schema.in;
  const isWrapper =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodNonOptional;
  return isWrapper ? schema.unwrap() : undefined;
}

/** A field's note, whichever of its wrappers it was written on. */
function noteOf<K extends keyof Note>(schema: z.core.$ZodType, key: K): Note[K] {
  const inner = unwrap(schema);
  return Notes.get(schema)?.[key] ?? (inner ? noteOf(inner, key) : undefined);
}

const toCamel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const toSnake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const bothCases = (name: string): string[] => [name, toCamel(name), toSnake(name)];

/** Every way to write a key of this object → the key. A key's own spelling is never taken for another's. */
function spellingsOf(shape: z.core.$ZodShape): Map<string, string> {
  const spellings = new Map<string, string>();
  for (const [key, field] of Object.entries(shape)) {
    for (const name of [key, ...(noteOf(field, "aliases") ?? [])].flatMap(bothCases)) {
      if (!spellings.has(name)) spellings.set(name, key);
    }
  }
  for (const key of Object.keys(shape)) spellings.set(key, key);
  return spellings;
}

/** What stands under a key, respelled. */
function within(key: PropertyKey, value: unknown, respelled: Respell, notebook: Notebook): unknown {
  notebook.path.push(key);
  const answer = respelled(value, notebook);
  notebook.path.pop();
  return answer;
}

function object(shape: z.core.$ZodShape): Respell {
  const spellings = spellingsOf(shape);
  return (value, notebook) => {
    if (!isObject(value)) return value;
    const fields = new Map<string, unknown>();
    let isChanged = false;
    for (const [name, given] of Object.entries(value)) {
      const key = spellings.get(name) ?? name;
      const field = spellings.has(name) ? shape[key] : undefined;
      const respelled = field ? within(key, given, respellerOf(field), notebook) : given;
      if (fields.has(key) && !isSame(fields.get(key), respelled)) notebook.conflicts.push([...notebook.path, key]);
      isChanged ||= key !== name || respelled !== given;
      fields.set(key, respelled);
    }
    // Defines own properties, `__proto__` among them; an assignment would follow it.
    return isChanged ? Object.fromEntries(fields) : value;
  };
}

const array =
  (element: Respell): Respell =>
  (value, notebook) =>
    Array.isArray(value) ? value.map((item: unknown, index) => within(index, item, element, notebook)) : value;

const record =
  (element: Respell): Respell =>
  (value, notebook) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, within(key, item, element, notebook)]))
      : value;

/** As the first of them that then takes it; else as it is. */
const union =
  ({ options, takes }: Options): Respell =>
  (value, notebook) => {
    for (const option of options) {
      const tried: Notebook = { ...notebook, conflicts: [], names: [] };
      const respelled = respellerOf(option)(value, tried);
      if (!takes(option, respelled)) continue;
      notebook.conflicts.push(...tried.conflicts);
      notebook.names.push(...tried.names);
      return respelled;
    }
    return value;
  };

type Takes = (option: z.core.$ZodType, value: unknown) => boolean;
type Options = { options: readonly z.core.$ZodType[]; takes: Takes };

const isValid: Takes = (option, value) => z.safeParse(option, value).success;

/** Whether the option is the one that a discriminator names, whatever else is wrong or, as a name, not known yet. */
const isNamedBy =
  (discriminator: string): Takes =>
  (option, value) =>
    option instanceof z.ZodObject && isObject(value)
      ? z.safeParse(option.shape[discriminator], Reflect.get(value, discriminator)).success
      : false;

/** `0`, or digits without a zero in front: at most 16, so that nothing is rounded into a safe integer. */
const DECIMAL = /^(0|[1-9]\d{0,15})$/;
const number: Respell = (value) => (typeof value === "string" && DECIMAL.test(value) ? Number(value) : value);

const user: Respell = (value, notebook) => {
  const id = number(value, notebook);
  if (typeof id !== "string" || id === "" || id.length > NAME_MAX_CHARS || DIGITS.test(id)) return id;
  const named = notebook.ids.get(id);
  if (named === undefined && notebook.names.length < NAMES_MAX) notebook.names.push(id);
  return named ?? id;
};

const boolean: Respell = (value) => {
  if (value === 0 || value === "0") return false;
  if (value === 1 || value === "1") return true;
  return value;
};

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

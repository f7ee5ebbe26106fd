/** Something for each of some names, as a tuple of that length: a test takes it apart by name. */
export type Each<Names extends readonly unknown[], T> = { [K in keyof Names]: T };

export const isEach = <Names extends readonly unknown[], T>(all: T[], names: Names): all is T[] & Each<Names, T> =>
  all.length === names.length;

/** One after the other. */
export async function forEach<const Names extends readonly string[], T>(
  names: Names,
  make: (name: string) => Promise<T>,
): Promise<Each<Names, T>> {
  const made: T[] = [];
  for (const name of names) made.push(await make(name));
  if (!isEach(made, names)) throw new Error(`There are ${made.length} for ${names.length} names.`);
  return made;
}

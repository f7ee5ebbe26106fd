/**
 * The folded texts beside what people wrote (migrations/0011): written with every change, and by cron for rows that are
 * older than that, or that something else than the Worker made.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { fold } from "../text.ts";
import type { CallContext } from "./call-context.ts";
import { hashPath } from "./file-paths.ts";
import { filePaths, files, users, videos } from "./tables.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them.
const ASCII = /^[\x00-\x7f]*$/;

/** What an index compares instead of the text; null where SQLite's own case folding is enough. */
const foldedOf = (text: string | null | undefined): string | null =>
  text === null || text === undefined || ASCII.test(text) ? null : fold(text);

type Names = { displayName?: string | null | undefined; fullName?: string | null | undefined };

/** The columns that go with a person's names: of those that are given. */
export const foldedNames = (names: Names) => ({
  ...(names.displayName === undefined ? {} : { displayNameFolded: foldedOf(names.displayName) }),
  ...(names.fullName === undefined ? {} : { fullNameFolded: foldedOf(names.fullName) }),
});

type VideoTexts = { title?: string | undefined; description?: string | null | undefined };

/** The columns that go with a video's texts: of those that are given. */
export const foldedVideo = (texts: VideoTexts) => ({
  ...(texts.title === undefined ? {} : { titleFolded: foldedOf(texts.title) }),
  ...(texts.description === undefined ? {} : { descriptionFolded: foldedOf(texts.description) }),
});

/** What a search compares: the folded text where there is one. Look for `fold(…)` in it. */
export const searched = {
  username: sql`${users.username}`,
  email: sql`${users.email}`,
  displayName: sql`coalesce(${users.displayNameFolded}, ${users.displayName})`,
  fullName: sql`coalesce(${users.fullNameFolded}, ${users.fullName})`,
  title: sql`coalesce(${videos.titleFolded}, ${videos.title})`,
  description: sql`coalesce(${videos.descriptionFolded}, ${videos.description})`,
} satisfies Record<string, SQL>;

/** A batch may take 30 s, a run of cron 1000 statements (platform limits): so 200 rows of each table a minute. */
const ROWS_A_ROUND = 50;
const ROUNDS = 4;

/** Folds rows that nobody has folded. Costs one small query when there are none. Run by cron. */
export async function foldOldRows(ctx: CallContext): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) if (!(await foldSome(ctx))) return;
}

/** Answers whether there may be more. */
async function foldSome({ db }: CallContext): Promise<boolean> {
  // Written out, as in the partial indexes: so SQLite sees that they fit.
  const isUnfolded = sql`is_folded = 0`;
  const { people, films, paths } = await db.batch({
    people: db.select().from(users).where(isUnfolded).limit(ROWS_A_ROUND),
    films: db.select().from(videos).where(isUnfolded).limit(ROWS_A_ROUND),
    paths: db.select().from(files).where(isUnfolded).limit(ROWS_A_ROUND),
  });
  // Each for the text that was read: what changes meanwhile is folded by whoever changes it, or in the next round.
  const changes = [
    ...people.map((row) =>
      db
        .update(users)
        .set({ ...foldedNames(row), isFolded: true })
        .where(
          and(
            eq(users.id, row.id),
            sql`${users.displayName} IS ${row.displayName}`,
            sql`${users.fullName} IS ${row.fullName}`,
          ),
        ),
    ),
    ...films.map((row) =>
      db
        .update(videos)
        .set({ ...foldedVideo(row), isFolded: true })
        .where(
          and(eq(videos.id, row.id), eq(videos.title, row.title), sql`${videos.description} IS ${row.description}`),
        ),
    ),
    ...paths.map((row) => {
      const [folder, name] = [fold(row.folder), fold(row.name)];
      const isTaken = sql`EXISTS (SELECT 1 FROM files t WHERE t.folder_folded = ${folder} AND t.name_folded = ${name})`;
      return db
        .update(files)
        .set({ folderFolded: folder, nameFolded: sql`iif(${isTaken}, NULL, ${name})`, isFolded: true })
        .where(and(eq(files.id, row.id), eq(files.folder, row.folder), eq(files.name, row.name)));
    }),
  ];
  const hashes = await Promise.all(
    paths.map(async ({ id: fileId, folder, name }) => ({ fileId, hash: await hashPath(folder, name) })),
  );
  const records = hashes.map((path) => db.insert(filePaths).values(path).onConflictDoNothing());
  const statements = [...changes, ...records];
  if (statements.length > 0) await db.batch(Object.fromEntries(statements.map((each, at) => [`statement${at}`, each])));
  return [people, films, paths].some((rows) => rows.length === ROWS_A_ROUND);
}

/** Files that are sent into rooms. */
import { answerOf } from "../../packages/client/src/index.ts";
import { type Account, type Upload, uploadFile } from "../api.ts";

const FOLDER = "demo";

/** The id of this file of the account's: stored now, unless it was before. */
export async function storeOnce(origin: string, account: Account, file: Upload): Promise<string> {
  const listed = await answerOf(
    account.api.files.list[":folder"].$get({ param: { folder: FOLDER }, query: { limit: 100 } }),
  );
  const earlier = listed.data.files.find(({ originalName }) => originalName === file.name);
  return earlier?.id ?? (await uploadFile(origin, account, file, { folder: FOLDER, visibility: "private" })).id;
}

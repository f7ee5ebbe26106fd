/** What cron does for the server API. */
export { forgetOldPublications } from "./publish/dedupe.ts";

/** What other slices use of the admin's. */
export { logEach, recordEach } from "./audit/service.ts";
export { eraseUser } from "./users/actions.ts";

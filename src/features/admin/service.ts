/** What other slices use of the admin's. */
export { eraseUser } from "./users/actions.ts";

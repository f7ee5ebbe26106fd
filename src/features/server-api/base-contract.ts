/** What the server API's contracts share. */
export { Email, FreshToken, Username } from "../auth/contract.ts";

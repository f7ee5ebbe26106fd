/** Choosing a password: typed twice, as nobody sees it. */
import { Refusal } from "/api.js";
import { field } from "/ui/form.js";

const LIMITS = { type: "password", autocomplete: "new-password", required: true, minlength: 8, maxlength: 128 };

/** `name`: as the service calls the field. */
export const newPasswordFields = (name) => [
  field("New password", { name, ...LIMITS }, { hint: "At least 8 characters." }),
  field("The same again", { name: "again", ...LIMITS }),
];

/** The password out of the form's fields. Throws a Refusal for the second field if the two differ. */
export function newPassword(name, fields) {
  if (fields[name] === fields.again) return fields[name];
  const details = [{ path: "again", message: "is not the same" }];
  throw new Refusal("INVALID_REQUEST", "The two passwords differ.", { details });
}

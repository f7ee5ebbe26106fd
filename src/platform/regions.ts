/** Parts of the world in which objects can stand: the platform's location hints. */
import { z } from "zod";

export const Region = z.enum(["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"]);
export type Region = z.infer<typeof Region>;

/** The platform's hint nearest to a request. An object stays where its first request put it. */
export function regionOf(request: Request): Region {
  const cf = request.cf;
  const longitude = Number(cf?.longitude ?? 0);
  switch (cf?.continent) {
    case "NA":
      return longitude < -100 ? "wnam" : "enam";
    case "SA":
      return "sam";
    case "AF":
      return "afr";
    case "OC":
      return "oc";
    case "AS":
      return longitude < 60 ? "me" : "apac";
    default:
      return longitude > 20 ? "eeur" : "weur";
  }
}

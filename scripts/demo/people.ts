/** Who lives in the demo world. */

export const PASSWORD = "demo-password";
/** Who moderates it. */
export const ADMIN = "demo";
/** Who was banned from it. */
export const SPAMMER = "quick_profit";

export type Profile = { username: string; fullName: string; bio: string };

const profile = (username: string, fullName: string, bio: string): Profile => ({ username, fullName, bio });

/** The first two are the accounts that `npm start` makes anyway. */
export const PEOPLE: Profile[] = [
  profile("demo", "Dana Moreau", "Looks after this place. Mornings by the water."),
  profile("friend", "Felix Aydin", "Bakes too much bread for one household."),
  profile("ines", "Inês Carvalho", "Films tides, ferries and other slow things."),
  profile("jonas", "Jonas Lindqvist", "Bicycles, old and older."),
  profile("mei", "Mei Tanaka", "Ceramics. The cracks are the good part."),
  profile("omar", "Omar Haddad", "Teaches physics, plays the oud badly."),
  profile("priya", "Priya Raman", "Marine biologist. Ask me about seaweed."),
  profile("luca", "Luca Ferri", "Street food, one stall at a time."),
  profile("sofia", "Sofía Ibarra", "Climbs walls, paints them, too."),
  profile("noah", "Noah Okafor", "Sound recordist. Headphones on."),
  profile("greta", "Greta Baumann", "Night trains and their stations."),
  profile("yusuf", "Yusuf Demir", "Astronomy from a very bright city."),
  profile("amelie", "Amélie Laurent", "Gardens on roofs."),
  profile("tomas", "Tomáš Novák", "Restores accordions."),
  profile("aisha", "Aisha Bello", "Choreographer. Two left feet at weddings."),
  profile("henrik", "Henrik Dahl", "Lighthouse keeper, retired."),
  profile("rosa", "Rosa Martins", "Learning everything at once."),
  profile("kenji", "Kenji Mori", "Paper, folded."),
  profile("zoe", "Zoë Papadakis", "Swims all winter."),
  profile(SPAMMER, "Quick Profit", "Double it in a day!!!"),
];

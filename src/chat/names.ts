/** What clients call a room, and which room that is. For queries: who may enter is asked in the same one. */
import { type SQL, sql } from "drizzle-orm";

/**
 * The id of the room called so: by the id that its maker chose or, where none was chosen, by its own. NULL: no room is. One
 * with a chosen id has no other name, so that its UUID, which message ids show, does not outlive a name that was given anew.
 */
export const roomIdCalled = (name: string): SQL<string | null> =>
  sql`(SELECT id FROM rooms WHERE chosen_id = ${name}
    UNION ALL SELECT id FROM rooms WHERE id = ${name} AND chosen_id IS NULL LIMIT 1)`;

export const courseIdCalled = (courseId: string): SQL<string | null> =>
  sql`(SELECT id FROM rooms WHERE course_id = ${courseId})`;

/** Whether a room may be given this name: no room has it, and it is no room's UUID. */
export const isFreeRoomName = (name: string): SQL =>
  sql`(NOT EXISTS (SELECT 1 FROM rooms WHERE chosen_id = ${name}) AND NOT EXISTS (SELECT 1 FROM rooms WHERE id = ${name}))`;

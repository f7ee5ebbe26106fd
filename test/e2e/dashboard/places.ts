/** Rooms, streams, calls, files and comments, of which one each is ended; and who is connected, and where. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import { type Admin, DESKTOP, openSocket, PHONE } from "./admin.ts";

/** Of each list: what is searched in it, in another case; what is pressed on the one that is found; what is told then. */
const LISTS = [
  { view: "rooms", find: "HAFENWACHE ÖST 12", press: "End…", told: "Room deleted" },
  { view: "streams", find: "ÖDLAND 12", press: "End…", told: "Stream ended" },
  { view: "calls", find: "SPRECHSTUNDE ÜBER 12", press: "End…", told: "Call ended" },
  { view: "files", find: "ANHÄNGE-12", press: "Delete…", told: "File deleted" },
  { view: "comments", find: "SCHÖN 12", press: "Delete…", told: "Comment deleted" },
];

export async function checkPlaces(admin: Admin): Promise<void> {
  const { page, server, people } = admin;

  for (const { view, find, press, told } of LISTS) {
    await check(`${view} are turned and searched, and one is ended for a reason`, async () => {
      await admin.go(view);
      await page.click("text=Next ›");
      await page.waitForSelector("text=/Page 2 of \\d/");
      await page.fill("[type=search]", find);
      await page.waitForSelector('text="1 record"');
      await page.click(`tbody tr >> text=${press}`);
      await admin.giveReason("Not what this is for", told, `${view}-end`);
    });
  }

  await check("a call shows who was there", async () => {
    await admin.go("calls");
    await page.click("tbody tr:first-child .acts >> text=Open");
    await page.waitForSelector("dialog >> text=Nobody has joined it.");
    await page.fill("dialog [type=search]", "somebody");
    await page.waitForSelector("dialog >> text=Nothing matches.");
    await page.click("dialog [aria-label=Close]");
  });

  await check("a room shows its members, turned and searched beside the list that it was opened from", async () => {
    await admin.go("rooms");
    await page.fill("[type=search]", "Öst 14");
    await page.waitForSelector('text="1 record"');
    await page.click("tbody tr >> text=Open");
    await page.click("dialog >> text=Next ›");
    await page.waitForSelector("dialog >> text=Page 2 of 2");
    await page.fill("dialog [type=search]", "NUMBER 11");
    await page.waitForFunction(
      () => document.querySelector("dialog tbody tr:only-child b")?.textContent === "person_11",
    );
    assert.match(page.url(), /#rooms\?search=/);
    await admin.shoot("room");
    await page.setViewportSize(PHONE);
    await admin.shoot("room-phone");
    await page.setViewportSize(DESKTOP);
    await page.click("dialog [aria-label=Close]");
  });

  await check("who is connected is shown with where they are, and signed out everywhere", async () => {
    const { opened, closed } = openSocket(server, people.nobody);
    await opened;
    // Stays, so that there is somebody to show.
    await openSocket(server, people.boss).opened;
    await admin.go("live");
    await page.fill("[type=search]", "nobody");
    await page.waitForFunction(() => document.querySelector("tbody tr:only-child b")?.textContent === "nobody");
    await admin.shoot("live-desktop");
    await page.click("tbody tr >> text=Where?");
    await page.waitForSelector("dialog >> text=1 connection");
    await admin.shoot("live-where");
    await page.keyboard.press("Escape");
    await page.click("tbody tr >> text=Sign out…");
    await admin.giveReason("A stolen phone", "User signed out");
    assert.equal(await closed, 4001);
    assert.equal((await server.call("/auth/me", { token: people.nobody.token })).status, 401);
  });
}

/**
 * The dashboard in a real browser against a real server: `node test/e2e/dashboard.ts [--port 8900] [--screenshots DIR]`.
 * Needs a Chromium at CHROMIUM or /usr/bin/chromium; says so and ends well where there is none. One admin goes through all of
 * it, part by part: each finds what the parts before it have done.
 */
import assert from "node:assert/strict";
import { option } from "../../scripts/tools.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { Admin, registerPeople } from "./dashboard/admin.ts";
import { checkBackends } from "./dashboard/backends.ts";
import { checkContent } from "./dashboard/content.ts";
import { checkLooks } from "./dashboard/looks.ts";
import { checkOtherPages } from "./dashboard/other-pages.ts";
import { checkOverview } from "./dashboard/overview.ts";
import { checkPlaces } from "./dashboard/places.ts";
import { checkRecords } from "./dashboard/records.ts";
import { week } from "./dashboard/seed.ts";
import { checkSignIn } from "./dashboard/sign-in.ts";
import { checkUsers } from "./dashboard/users.ts";
import { startServer } from "./server.ts";

const port = Number(option(process.argv, "port") ?? "8900");
const screenshots = option(process.argv, "screenshots");

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}

const server = await startServer(port);
const browser = await launch();
try {
  const people = await registerPeople(server);
  server.sql(week(people.victim.id));
  const admin = await Admin.open(browser, server, people, screenshots);
  await checkSignIn(admin);
  await checkOverview(admin);
  await checkUsers(admin);
  await checkContent(admin);
  await checkRecords(admin);
  await checkPlaces(admin);
  await checkBackends(admin);
  await checkLooks(admin);
  await checkOtherPages(admin);
  await check("the browser had nothing to complain about", async () => {
    assert.deepEqual(admin.complaints, []);
    assert.ok(admin.statisticsAsked.length > 0);
  });
} finally {
  await browser.close();
  await server.stop();
}
finish();

/** The shop, with what is live in it. */
import { realtime } from "./realtime.ts";
import { shop } from "./shop.ts";

const port = Number(process.env.PORT ?? 3000);
shop.use(realtime);
shop.listen(port, "127.0.0.1", () => console.log(`The shop is open: http://localhost:${port}`));

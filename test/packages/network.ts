/** A network that can fail: a relay in front of a server. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Network {
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #state: "up" | "deaf" | "cut" = "up";

  private constructor(server: Server) {
    this.#server = server;
  }

  static async inFrontOf(url: string): Promise<Network> {
    const { hostname, port } = new URL(url);
    const server = createServer((near) => network.#relay(near, connect(Number(port), hostname)));
    const network = new Network(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    return network;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("It listens nowhere.");
    return `http://127.0.0.1:${address.port}`;
  }

  /** From now on nothing of the server's comes through, and nobody is told. */
  deafen(): void {
    this.#state = "deaf";
  }

  /** Ends all connections, and takes no others. */
  cut(): void {
    this.#state = "cut";
    for (const end of this.#ends) end.destroy();
  }

  mend(): void {
    this.#state = "up";
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #relay(near: Socket, far: Socket): void {
    const ends = [near, far];
    for (const end of ends) {
      this.#ends.add(end);
      end.on("error", () => undefined);
      end.on("close", () => {
        this.#ends.delete(end);
        for (const each of ends) each.destroy();
      });
    }
    if (this.#state === "cut") near.destroy();
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => this.#state === "up" && near.write(bytes));
  }
}

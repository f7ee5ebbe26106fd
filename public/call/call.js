/** One call: who takes part, a Peer to each of the others, and what this page shows of itself. */
import { call, Refusal } from "/api.js";
import { enable, has, openScreen, stop } from "./media.js";
import { Peer } from "./peer.js";
import { Signaling } from "./signaling.js";

/** Frames that change one thing about a participant. */
const CHANGES = {
  "webrtc:user_audio_toggled": ({ enabled }) => ({ audioEnabled: enabled }),
  "webrtc:user_video_toggled": ({ enabled }) => ({ videoEnabled: enabled }),
  "webrtc:screen_share_started": () => ({ screenSharing: true }),
  "webrtc:screen_share_stopped": () => ({ screenSharing: false }),
  "webrtc:hand_raised": () => ({ handRaised: true }),
  "webrtc:hand_lowered": () => ({ handRaised: false }),
};

const FRAMES = [
  "webrtc:participants_list",
  "webrtc:user_joined",
  "webrtc:user_left",
  "webrtc:offer_received",
  "webrtc:answer_received",
  "webrtc:ice_candidate_received",
  "webrtc:error",
  ...Object.keys(CHANGES),
];

export class Call {
  /** Everybody's state by user id, one's own among it, in the order of joining. */
  people = new Map();
  peers = new Map();
  streams = new Map();
  states = new Map();
  screen = null;
  isOnline = false;

  /** `onChange()`: draw again · `onOver(reason)`: it is over. */
  constructor({ session, userId, displayName, role, camera, onChange, onOver }) {
    Object.assign(this, { session, userId, displayName, role, camera, onChange, onOver });
    this.own = {
      audioEnabled: has(camera, "audio"),
      videoEnabled: has(camera, "video"),
      screenSharing: false,
      handRaised: false,
    };
  }

  async start() {
    const { iceServers } = await call("GET", `/webrtc/ice-servers?sessionId=${this.session.id}`);
    this.iceServers = iceServers;
    this.signaling = new Signaling(this.session.id, {
      onOpen: () => this.#join(),
      on: Object.fromEntries(FRAMES.map((type) => [type, (data) => this.#receive(type, data)])),
      onBreak: () => {
        this.isOnline = false;
        this.onChange();
      },
      onOver: (reason) => this.#end(reason),
    });
  }

  async #join() {
    try {
      await this.signaling.ask("webrtc:join_session", { displayName: this.displayName, role: this.role });
      this.isOnline = true;
      await this.#showOwn();
    } catch (error) {
      if (error.code === "FORBIDDEN") this.#end(error.message);
      // Otherwise the line broke, and this is tried again when it is back.
    }
    this.onChange();
  }

  /** After a reload the service remembers what the page before had switched on. A raised hand stays raised. */
  async #showOwn() {
    const { audioEnabled, videoEnabled, screenSharing, handRaised } = this.people.get(this.userId);
    this.own.handRaised ||= handRaised;
    for (const [what, known] of Object.entries({ audioEnabled, videoEnabled, screenSharing, handRaised })) {
      if (this.own[what] !== known) await this.#tell(what, this.own[what]);
    }
  }

  #receive(type, data) {
    if (type === "webrtc:participants_list") this.#meet(data.participants);
    else if (type === "webrtc:user_joined") this.#welcome(data);
    else if (type === "webrtc:user_left") this.#forget(data.userId);
    else if (type === "webrtc:offer_received") this.#peer(data.fromUserId)?.receive(data.offer);
    else if (type === "webrtc:answer_received") this.#peer(data.fromUserId)?.receive(data.answer);
    else if (type === "webrtc:ice_candidate_received") this.#peer(data.fromUserId)?.receiveCandidate(data.candidate);
    else if (type === "webrtc:error" && data.code === "CONFLICT") this.#end(data.message);
    else if (CHANGES[type]) Object.assign(this.people.get(data.userId) ?? {}, CHANGES[type](data));
    this.onChange();
  }

  /** Having joined, one offers to everybody who is there already. After a break, to whom there is no connection. */
  #meet(participants) {
    this.people = new Map(participants.map((person) => [person.userId, person]));
    for (const userId of this.peers.keys()) if (!this.people.has(userId)) this.#forget(userId);
    for (const { userId } of participants) {
      if (userId === this.userId) continue;
      if (this.peers.has(userId)) this.peers.get(userId).check();
      else this.#peer(userId).start();
    }
  }

  /** Somebody new: whatever was left of an earlier stay is of no use. Their offer is on its way. */
  #welcome({ sessionId: _, ...person }) {
    if (!this.people.has(person.userId)) this.#forget(person.userId);
    this.people.set(person.userId, { ...this.people.get(person.userId), ...person });
  }

  #forget(userId) {
    this.peers.get(userId)?.close();
    for (const known of [this.peers, this.streams, this.states, this.people]) known.delete(userId);
  }

  #peer(userId) {
    const person = this.people.get(userId);
    if (!person || this.peers.has(userId)) return this.peers.get(userId);
    const peer = new Peer({
      iceServers: this.iceServers,
      isPolite: person.polite,
      send: (type, content) => this.signaling.ask(type, { targetUserId: userId, ...content }),
      streams: () => [this.camera, this.screen].filter(Boolean),
      onStreams: (streams) => {
        this.streams.set(userId, streams);
        this.onChange();
      },
      onState: (state) => {
        this.states.set(userId, state);
        this.onChange();
      },
    });
    this.peers.set(userId, peer);
    return peer;
  }

  /** Everybody, as the view draws them. */
  everybody() {
    return [...this.people.values()].map((person) => {
      const isOwn = person.userId === this.userId;
      return {
        person: isOwn ? { ...person, ...this.own } : person,
        isOwn,
        streams: isOwn ? [this.camera, this.screen].filter(Boolean) : (this.streams.get(person.userId) ?? []),
        state: this.states.get(person.userId) ?? "new",
      };
    });
  }

  #tell(what, isOn) {
    if (what === "audioEnabled") return this.signaling.ask("webrtc:toggle_audio", { enabled: isOn });
    if (what === "videoEnabled") return this.signaling.ask("webrtc:toggle_video", { enabled: isOn });
    if (what === "handRaised") return this.signaling.ask(isOn ? "webrtc:raise_hand" : "webrtc:lower_hand");
    return this.signaling.ask(isOn ? "webrtc:screen_share_start" : "webrtc:screen_share_stop");
  }

  /** Switches it here at once, then for the others. While the line is down, they learn it when it is back. */
  async #set(what, isOn) {
    this.own[what] = isOn;
    this.onChange();
    await this.#tell(what, isOn).catch((error) => {
      if (error.code !== "OFFLINE") throw error;
    });
  }

  toggleAudio() {
    enable(this.camera, "audio", !this.own.audioEnabled);
    return this.#set("audioEnabled", !this.own.audioEnabled);
  }

  toggleVideo() {
    enable(this.camera, "video", !this.own.videoEnabled);
    return this.#set("videoEnabled", !this.own.videoEnabled);
  }

  toggleHand() {
    return this.#set("handRaised", !this.own.handRaised);
  }

  async toggleScreen() {
    const isOn = !this.own.screenSharing;
    if (isOn) {
      this.screen = await openScreen(() => this.own.screenSharing && this.toggleScreen());
      if (!this.screen) return;
    } else {
      stop(this.screen);
      this.screen = null;
    }
    for (const peer of this.peers.values()) peer.update();
    await this.#set("screenSharing", isOn);
  }

  async leave() {
    await this.signaling?.ask("webrtc:leave_session").catch((error) => {
      if (!(error instanceof Refusal)) throw error;
    });
    this.#end("");
  }

  #end(reason) {
    this.signaling.close();
    for (const userId of [...this.peers.keys()]) this.#forget(userId);
    stop(this.screen);
    stop(this.camera);
    this.onOver(reason);
  }
}

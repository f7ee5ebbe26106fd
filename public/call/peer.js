/**
 * The connection to one other participant, by perfect negotiation (WebRTC 1.0, 10.7): either side may offer at any time,
 * and when two offers collide the polite side, which the service names, takes its own back.
 *
 * Besides that recipe:
 * - Who has joined offers to everybody in the list; who was there waits for that offer.
 * - An offer that was refused (its receiver is reloading) or stays unanswered is taken back and made again.
 * - The `o=` line of a description names the RTCPeerConnection it comes from (RFC 8829, 5.2.1). Another one than before
 *   is a page that was reloaded: start over.
 */
const REFUSED_AGAIN_MS = 1000;
const UNANSWERED_AGAIN_MS = 5000;

const originOf = ({ sdp }) => /^o=\S+ (\S+)/m.exec(sdp)?.[1];

export class Peer {
  #pc;
  #isOffering = false;
  #isIgnoring = false;
  #isSettingAnswer = false;
  /** Which connection of the other side we talk to. */
  #origin;
  #again;

  /**
   * `send(type, content)`: to the other side; a promise · `streams()`: what to show the other side · `onStreams(streams)`:
   * what it shows, the camera first · `onState(state)`: the connection's.
   */
  constructor({ iceServers, isPolite, send, streams, onStreams, onState }) {
    Object.assign(this, { iceServers, isPolite, send, streams, onStreams, onState });
    this.#open();
  }

  get pc() {
    return this.#pc;
  }

  #open() {
    const pc = new RTCPeerConnection({ iceServers: this.iceServers });
    this.#pc = pc;
    this.#origin = undefined;
    this.#isOffering = this.#isIgnoring = this.#isSettingAnswer = false;
    this.remote = new Map();
    pc.onnegotiationneeded = () => this.#offer();
    pc.onicecandidate = ({ candidate }) =>
      this.send("webrtc:ice_candidate", { candidate: candidate?.toJSON() ?? null }).catch(() => {});
    pc.ontrack = (event) => this.#show(event);
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === "failed") pc.restartIce();
      this.onState(pc.connectionState);
    };
    this.onStreams([]);
    this.onState(pc.connectionState);
  }

  /** Makes the first offer. Who shows nothing still wants to see and hear. */
  start() {
    this.update();
    const kinds = this.#pc.getTransceivers().map(({ sender }) => sender.track?.kind);
    for (const kind of ["audio", "video"]) {
      if (!kinds.includes(kind)) this.#pc.addTransceiver(kind, { direction: "recvonly" });
    }
  }

  /** Sends what `streams()` has now and no longer what it has not; negotiates by itself if that takes it. */
  update() {
    const wanted = this.streams().flatMap((stream) => stream.getTracks().map((track) => ({ track, stream })));
    const senders = this.#pc.getSenders().filter(({ track }) => track);
    for (const sender of senders) {
      if (!wanted.some(({ track }) => track === sender.track)) this.#pc.removeTrack(sender);
    }
    for (const { track, stream } of wanted) {
      if (!senders.some((sender) => sender.track === track)) this.#pc.addTrack(track, stream);
    }
  }

  /** After a break of the signaling: media may have gone on all the while. */
  check() {
    if (this.#pc.connectionState !== "connected") this.#pc.restartIce();
  }

  async #offer() {
    const pc = this.#pc;
    clearTimeout(this.#again);
    try {
      this.#isOffering = true;
      await pc.setLocalDescription();
    } catch {
      // Closed, or the other side's offer was first: it will be negotiated with the answer.
      return;
    } finally {
      if (pc === this.#pc) this.#isOffering = false;
    }
    if (pc.signalingState !== "have-local-offer") return;
    this.#again = setTimeout(() => this.#offerAgain(pc), UNANSWERED_AGAIN_MS);
    try {
      await this.send("webrtc:offer", { offer: pc.localDescription.toJSON() });
    } catch {
      clearTimeout(this.#again);
      this.#again = setTimeout(() => this.#offerAgain(pc), REFUSED_AGAIN_MS);
    }
  }

  async #offerAgain(pc) {
    if (pc !== this.#pc || pc.signalingState !== "have-local-offer") return;
    await pc.setLocalDescription({ type: "rollback" });
    await this.#offer();
  }

  /** An offer or answer has come. */
  async receive(description) {
    const origin = originOf(description);
    const isAnotherPage = this.#origin !== undefined && origin !== this.#origin;
    if (isAnotherPage) {
      this.#pc.close();
      this.#open();
      this.update();
      // An answer to an offer of the connection that is gone.
      if (description.type === "answer") return this.start();
    }
    const pc = this.#pc;
    const isReady = !this.#isOffering && (pc.signalingState === "stable" || this.#isSettingAnswer);
    this.#isIgnoring = description.type === "offer" && !isReady && !this.isPolite;
    if (this.#isIgnoring) return;
    // An answer to an offer that was taken back.
    if (description.type === "answer" && pc.signalingState === "stable") return;
    this.#origin = origin;
    this.#isSettingAnswer = description.type === "answer";
    // What is shown from the start goes into the answer, and needs no offer of its own.
    if (description.type === "offer") this.update();
    await pc.setRemoteDescription(description);
    if (pc !== this.#pc) return;
    this.#isSettingAnswer = false;
    clearTimeout(this.#again);
    if (description.type !== "offer") return;
    await pc.setLocalDescription();
    // Refused: its receiver is reloading, and will offer by itself.
    await this.send("webrtc:answer", { answer: pc.localDescription.toJSON() }).catch(() => {});
  }

  async receiveCandidate(candidate) {
    try {
      await this.#pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      // Those of an offer that was ignored, or of a page that is gone, belong to nothing.
      if (!this.#isIgnoring && this.#origin !== undefined && this.#pc.signalingState !== "closed") console.warn(error);
    }
  }

  /** The stream with sound is the camera's; it came first. */
  #show({ track, streams: [stream] }) {
    if (!stream) return;
    this.remote.set(stream.id, stream);
    const tell = () => this.onStreams([...this.remote.values()]);
    stream.onremovetrack = () => {
      if (stream.getTracks().length > 0) return;
      this.remote.delete(stream.id);
      tell();
    };
    track.onunmute = tell;
    tell();
  }

  close() {
    clearTimeout(this.#again);
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }
}

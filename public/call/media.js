/** Camera, microphone and screen of this page. */

/** What a browser says, in words for whoever sits in front of it. */
const WORDS = {
  NotAllowedError: "The browser was not allowed to use the camera and microphone.",
  NotFoundError: "No camera or microphone was found.",
  NotReadableError: "The camera or microphone is in use by another program.",
};

/**
 * Camera and microphone, or what there is of them.
 * Returns {stream, problem}: what is missing, in words, or "".
 */
export async function openCamera() {
  if (!navigator.mediaDevices) return { stream: new MediaStream(), problem: "Cameras work on https pages only." };
  const audio = { echoCancellation: true, noiseSuppression: true };
  const video = { width: { ideal: 1280 }, height: { ideal: 720 } };
  let problem = "";
  for (const wanted of [{ audio, video }, { audio }, { video }]) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(wanted);
      return { stream, problem: problem && `${problem} You join with ${wanted.audio ? "sound" : "video"} only.` };
    } catch (error) {
      problem ||= WORDS[error.name] ?? "The camera and microphone could not be opened.";
      if (error.name === "NotAllowedError") break;
    }
  }
  return { stream: new MediaStream(), problem: `${problem} You can watch and listen.` };
}

/** The screen, or null when the person thought better of it. Throws an Error to show. */
export async function openScreen(onEnded) {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
    stream.getVideoTracks()[0].onended = onEnded;
    return stream;
  } catch (error) {
    if (error.name === "NotAllowedError") return null;
    throw new Error("This browser cannot share the screen.");
  }
}

export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Switches tracks of a kind on or off; the other side gets silence or black, and no negotiation is needed. */
export function enable(stream, kind, isOn) {
  for (const track of stream.getTracks()) if (track.kind === kind) track.enabled = isOn;
}

export const has = (stream, kind) => stream.getTracks().some((track) => track.kind === kind);

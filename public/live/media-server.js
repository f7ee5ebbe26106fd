/**
 * Where the video is. Roomcast carries none itself: a media server does (examples/media-server), and only its operator knows
 * its address. `/live?hls=https://media.example/hls` tells the page, for the tab, where HLS is served.
 */
const HOST = "roomcast.mediaHost";
const HLS = "roomcast.hls";

const asked = new URLSearchParams(location.search).get("hls");
if (asked !== null) sessionStorage.setItem(HLS, asked);

/** The folder of the HLS playlists, or null. The page's policy lets media come by https alone. */
function hlsFolder() {
  const url = URL.parse(sessionStorage.getItem(HLS) ?? "");
  return url?.protocol === "https:" ? url : null;
}

/** `hls_nested on` in nginx: a folder for each stream. */
export function hlsUrl(streamId) {
  const folder = hlsFolder();
  return folder && new URL(`${folder.pathname.replace(/\/$/, "")}/${streamId}/index.m3u8`, folder).href;
}

export const canPlayHls = () => document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "";

/** As far as is known: what was typed here before, the HLS server's, this service's own. */
export const mediaHost = () => localStorage.getItem(HOST) || hlsFolder()?.hostname || location.hostname;

export function rememberMediaHost(typed) {
  const host = typed.replace(/[^\w.:[\]-]/g, "");
  if (host) localStorage.setItem(HOST, host);
  else localStorage.removeItem(HOST);
}

export const rtmpUrl = (streamId) => `rtmp://${mediaHost()}/pub/${streamId}`;

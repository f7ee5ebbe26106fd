/** Every kind of room that Socket.IO clients reach: one line each. */
import { courseChannel } from "../courses/channel.ts";
import { roomChannel } from "../rooms/channel.ts";
import { streamChannel } from "../streams/channel.ts";
import { webrtcChannel } from "../webrtc/channel.ts";
import type { Channel } from "./channel.ts";

export const channels: readonly Channel[] = [courseChannel, roomChannel, streamChannel, webrtcChannel];

const byId = new Map(channels.map((channel) => [channel.id, channel]));
export const channelCalled = (id: string): Channel | undefined => byId.get(id);

const byEvent = new Map<string, Channel>();
for (const channel of channels) {
  for (const event of [...Object.keys(channel.commands), channel.join, channel.leave]) {
    const other = byEvent.get(event);
    if (other && other !== channel) throw new Error(`${event} belongs to ${other.id} and ${channel.id}`);
    byEvent.set(event, channel);
  }
}
/** The channel that an event belongs to; undefined: it is for the user's own hub. */
export const channelOf = (event: string): Channel | undefined => byEvent.get(event);

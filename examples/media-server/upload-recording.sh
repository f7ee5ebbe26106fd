#!/bin/sh
# Hands a finished recording to Roomcast: exec_record_done calls this with its path and the stream's public id. Without an
# id, the name tells it (`<id>-<time>.flv`), so that what could not be sent can be sent again by hand or by cron.
# ROOMCAST_URL and the file with the proof's header line can be set in roomcast.env beside this script.
set -eu

path=$1
name=${path##*/}
stream=${2:-${name%%-*}}

here=$(dirname "$0")
[ -f "$here/roomcast.env" ] && . "$here/roomcast.env"
url=${ROOMCAST_URL:-http://127.0.0.1:8787}
# One line, `X-Webhook-Secret: …`, mode 0600: on the command line every user of this machine could read it.
proof=${ROOMCAST_PROOF_FILE:-/etc/roomcast/proof-header}

# curl gives `;`, `,`, `"` and `\` a meaning in -F, and a stream's public id has digits alone.
case $path in *[!A-Za-z0-9._/-]*) echo "upload-recording: odd path, left where it is" >&2; exit 1 ;; esac
case $stream in '' | *[!0-9]*) echo "upload-recording: odd stream id, $path left where it is" >&2; exit 1 ;; esac

# What a refused publisher leaves behind.
size=$(wc -c <"$path")
[ "$size" -ge 1024 ] || { rm -f "$path"; exit 0; }

# How long it is, in seconds, if there is a program here to tell.
duration=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$path" 2>/dev/null || true)
case $duration in '' | *[!0-9.]*) set -- ;; *) set -- --form-string "duration=$duration" ;; esac

# Sending it again is safe: the same recording is taken once. It is removed only when it has arrived.
curl --fail --silent --show-error --retry 5 --retry-connrefused --max-time 3600 \
  --header "@$proof" --form-string "streamId=$stream" "$@" --form "file=@$path" \
  --output /dev/null "$url/vod/upload"
[ "${ROOMCAST_KEEP_RECORDINGS:-no}" = yes ] || rm -f "$path"

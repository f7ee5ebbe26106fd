-- Whose sessions an erased user's were.
CREATE INDEX webrtc_sessions_host ON webrtc_sessions (host_id);

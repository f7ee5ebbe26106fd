-- Who is removed from a course leaves its calls: they are found by their course. A call without one costs no row of this.
CREATE INDEX webrtc_sessions_course ON webrtc_sessions (course_id) WHERE course_id IS NOT NULL AND ended_at IS NULL;

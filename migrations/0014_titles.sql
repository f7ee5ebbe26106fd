-- A notification shows its video's title as it is; it keeps no copy, which would outlive the video and its owner.
UPDATE notifications SET target_title = NULL WHERE target_type = 'video' AND type <> 'video_deleted' AND target_title IS NOT NULL;

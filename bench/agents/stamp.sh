#!/bin/bash
# The least agent that does some work: notes when its first instruction ran and when its report was written (seconds, microseconds behind the point).
started=$EPOCHREALTIME
sleep 0.1
printf '{"agent_type": "%s", "status": "complete", "summary": "%s", "attempt_id": "%s"}' \
  "$NEXUS_AGENT" "$NEXUS_STEP" "$NEXUS_ATTEMPT" > "$NEXUS_COMPLETION_FILE"
echo "$NEXUS_STEP $started $EPOCHREALTIME" >> "$1"

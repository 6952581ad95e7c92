#!/bin/sh
# A shell agent: reads its prompt, appends to the log, and writes its summary where it is told, not atomically.
set -eu
log=$1
echo "START $NEXUS_PROJECT $NEXUS_ISSUE $NEXUS_STEP $NEXUS_ATTEMPT $$" >> "$log"
size=$(wc -c)
mkdir -p "$(dirname "$NEXUS_COMPLETION_FILE")"
{
  printf '{"agent_type": "@%s", "status": "complete",' "$NEXUS_AGENT"
  printf ' "summary": "%s done, prompt of %s bytes", "attempt_id": "%s"}\n' "$NEXUS_STEP" "$size" "$NEXUS_ATTEMPT"
} > "$NEXUS_COMPLETION_FILE"
echo "END $NEXUS_PROJECT $NEXUS_ISSUE $NEXUS_STEP $NEXUS_ATTEMPT $$" >> "$log"

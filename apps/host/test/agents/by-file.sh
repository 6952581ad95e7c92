#!/bin/sh
# Reports by writing the summary file in place, as shell agents do. Each start leaves a line in starts.log.
set -eu
echo "$NEXUS_ATTEMPT $NEXUS_PROJECT $NEXUS_ISSUE $NEXUS_STEP" >> starts.log
cat > /dev/null
mkdir -p "$(dirname "$NEXUS_COMPLETION_FILE")"
{
  printf '{"issue_number": "%s", "agent_type": "%s", ' "$NEXUS_ISSUE" "$NEXUS_AGENT"
  printf '"status": "complete", "summary": "%s by file", ' "$NEXUS_STEP"
  printf '"attempt_id": "%s"}\n' "$NEXUS_ATTEMPT"
} > "$NEXUS_COMPLETION_FILE"

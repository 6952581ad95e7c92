#!/bin/sh
# Says how far it is, waits until somebody writes a line to the fifo "gate-<step>" of the workspace, then reports.
set -eu
mkdir -p "$(dirname "$NEXUS_COMPLETION_FILE")"
printf '{"issue_number": "%s", "agent_type": "%s", "status": "in-progress", "summary": "half of %s"}\n' \
  "$NEXUS_ISSUE" "$NEXUS_AGENT" "$NEXUS_STEP" > "$NEXUS_COMPLETION_FILE"
exec sh "$(dirname "$0")/gated.sh"

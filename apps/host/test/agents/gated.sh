#!/bin/sh
# Waits until somebody writes a line to the fifo "gate-<step>" of the workspace, then reports.
set -eu
read -r _ < "gate-$NEXUS_STEP"
exec sh "$(dirname "$0")/by-file.sh"

# An agent: what is to be done comes on standard input, and the report goes to the file. This one only writes it down.
cat > "told-$NEXUS_ISSUE.md"
printf '{"issue_number": "%s", "agent_type": "%s", "summary": "Written down."}' \
  "$NEXUS_ISSUE" "$NEXUS_AGENT" > "$NEXUS_COMPLETION_FILE"

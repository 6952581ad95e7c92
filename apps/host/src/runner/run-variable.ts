/** The variable that marks the processes of a run; its value is the run folder, so no other run has it. */
export const RUN_VARIABLE = 'NEXUS_RUN'

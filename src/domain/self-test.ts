// How `proctor doctor` looks at a service without leaving a trace in its log and counters.

/** The id of no execution: a callback for it proves the way to the service, and is forgotten. */
export const SELF_TEST_ID = `exe_${"0".repeat(26)}`;

/** Marks the doctor's reads, and the service's answer to its callback. */
export const SELF_TEST_HEADER = "X-Proctor-Self-Test";

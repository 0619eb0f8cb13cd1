// The marks of a doctor's requests, by which a service keeps them out of its log and counters.

/** The id of no execution. A callback for it proves the way to the service, and is not stored. */
export const SELF_TEST_ID = `exe_${"0".repeat(26)}`;

/** Marks the doctor's reads, and the service's answer to its callback. */
export const SELF_TEST_HEADER = "X-Proctor-Self-Test";

// The cause of a failure, found in what Lyceum and the run said.

export const failureReasons = [
  "timeout",
  "out_of_memory",
  "disk_full",
  "image_not_found",
  "module_not_found",
  "quota",
  "capacity",
  "nccl",
  "killed_by_signal",
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Texts may be of any length. */
export interface Evidence {
  returnCode?: number | null | undefined;
  /** Lyceum's own words: status details and errors. */
  platform?: readonly (string | null | undefined)[];
  /** The output of the run, and the output of the installation of its requirements if that failed. */
  output?: readonly (string | null | undefined)[];
}

/**
 * Lyceum's words come before the output. The last cause in a text wins, because a run may survive an earlier one; NCCL
 * errors and signals count only without any other cause, because they are often consequences.
 */
export function failureReason({ returnCode, platform = [], output = [] }: Evidence): FailureReason | null {
  const told = platform.map(tailOf);
  const printed = output.map(tailOf);
  return (
    lastOf(told, [...causes, ...platformCauses]) ??
    lastOf(printed, causes) ??
    lastOf([...told, ...printed], consequences) ??
    (returnCode != null && isSignal(returnCode) ? "killed_by_signal" : null)
  );
}

type Row = readonly [FailureReason, ...phrases: string[]];

/** Compared as they are, in lower case: the search is linear. A line feed is the start of a line, as in tracebacks. */
const causes: readonly Row[] = [
  [
    "out_of_memory",
    "cuda out of memory",
    "hip out of memory",
    "cuda error: out of memory",
    "cuda_error_out_of_memory",
    "cudaerrormemoryallocation",
    "cublas_status_alloc_failed",
    "resource_exhausted: out of memory",
    "oom when allocating tensor",
    "\nmemoryerror",
    "\nnumpy._core._exceptions._arraymemoryerror",
    "\nnumpy.core._exceptions._arraymemoryerror",
    "cannot allocate memory",
    "std::bad_alloc",
    "defaultcpuallocator: can't allocate memory",
    "defaultcpuallocator: not enough memory",
    "java.lang.outofmemoryerror",
    "javascript heap out of memory",
    "out of memory: killed process",
    "oom-kill",
    "oomkilled",
    "killed by the oom killer",
  ],
  ["disk_full", "no space left on device", "disk quota exceeded", "\noserror: [errno 28]"],
  [
    "module_not_found",
    "\nmodulenotfounderror: no module named",
    "\nimporterror: no module named",
    "\nimporterror: cannot import name",
    "/python: no module named ",
    "/python3: no module named ",
    "no matching distribution found for",
    "error: cannot find module",
    "error while loading shared libraries",
  ],
];

/** Phrases that tell of a cause only in Lyceum's own words: a program may print them about anything. */
const platformCauses: readonly Row[] = [
  ["out_of_memory", "out of memory", "memory limit exceeded"],
  ["timeout", "ran past its timeout", "time limit exceeded", "execution timed out", "deadlineexceeded"],
  [
    "image_not_found",
    "manifest unknown",
    "pull access denied",
    "errimagepull",
    "imagepullbackoff",
    "invalidimagename",
    "failed to pull image",
    "failed to resolve reference",
    "failed to pull and unpack image",
    "repository does not exist",
    "no such image",
    "image not found",
  ],
  [
    "quota",
    "quota exceeded",
    "exceeds quota",
    "exceeded quota",
    "insufficient quota",
    "quota limit",
    "limit for concurrent",
    "insufficient credits",
  ],
  [
    "capacity",
    "no capacity",
    "insufficient capacity",
    "out of capacity",
    "capacity not available",
    "no available gpu",
    "no gpus available",
    "no nodes available",
    "nodes are available: ",
    "resources unavailable",
    "failedscheduling",
  ],
];

const consequences: readonly Row[] = [
  [
    "nccl",
    "nccl error",
    "ncclunhandledcudaerror",
    "ncclsystemerror",
    "ncclinternalerror",
    "ncclremoteerror",
    "ncclinvalidusage",
    "nccl watchdog",
    "watchdog caught collective operation timeout",
    "nccl communicator was aborted",
    "torch.distributed.distbackenderror",
  ],
  [
    "killed_by_signal",
    "received signal: ",
    "segmentation fault",
    "(core dumped)",
    "signal 9 (sigkill)",
    "ended by sig",
    "terminated by signal",
    "killed by signal",
  ],
];

/** Failures stand at the end; a text of this length bounds the search. */
const MAX_TAIL = 16_384;

function tailOf(text: string | null | undefined): string {
  return text == null ? "" : `\n${text.slice(-MAX_TAIL).toLowerCase()}`;
}

function lastOf(texts: readonly string[], rows: readonly Row[]): FailureReason | null {
  for (const text of texts) {
    let last = -1;
    let reason: FailureReason | null = null;
    for (const [name, ...phrases] of rows) {
      const at = Math.max(...phrases.map((phrase) => text.lastIndexOf(phrase)));
      if (at > last) [last, reason] = [at, name];
    }
    if (reason !== null) return reason;
  }
  return null;
}

/** A shell reports signal n as 128 + n, Python's subprocess as -n; there are 64 signals. */
function isSignal(returnCode: number): boolean {
  return (returnCode > 128 && returnCode <= 128 + 64) || (returnCode < 0 && returnCode >= -64);
}

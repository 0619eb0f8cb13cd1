// Each reason is found in outputs as the tools write them.
import { describe, expect, test } from "vitest";
import { type Evidence, type FailureReason, failureReason } from "../../src/domain/failure-reason.ts";

const traceback = (...last: string[]) =>
  [
    "epoch 1: loss 0.31",
    "Traceback (most recent call last):",
    '  File "/app/train.py", line 41, in <module>',
    "    main()",
    ...last,
    "",
  ].join("\n");

const cases: [name: string, FailureReason | null, Evidence][] = [
  [
    "PyTorch without memory on the GPU",
    "out_of_memory",
    {
      returnCode: 1,
      output: [
        traceback(
          "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 39.39 GiB of which 11.05 GiB is free.",
        ),
      ],
    },
  ],
  [
    "JAX without memory on the GPU",
    "out_of_memory",
    {
      output: [
        traceback(
          "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.",
        ),
      ],
    },
  ],
  [
    "TensorFlow without memory on the GPU",
    "out_of_memory",
    {
      output: [
        "2026-01-31 W tensorflow: OOM when allocating tensor with shape[512,3,224,224] and type float",
      ],
    },
  ],
  [
    "Python without memory on the host",
    "out_of_memory",
    { returnCode: 1, output: [traceback("MemoryError")] },
  ],
  [
    "NumPy without memory on the host",
    "out_of_memory",
    {
      output: [
        traceback(
          "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 745. GiB for an array with shape (100000000000,)",
        ),
      ],
    },
  ],
  [
    "C++ without memory on the host",
    "out_of_memory",
    {
      returnCode: 134,
      output: [
        "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n",
      ],
    },
  ],
  [
    "a container that the kernel killed for its memory",
    "out_of_memory",
    { returnCode: 137, platform: ["container terminated: OOMKilled (exit code 137)"], output: ["epoch 3\n"] },
  ],
  ["Lyceum's word for memory", "out_of_memory", { returnCode: 137, platform: [null, "Out of memory"] }],
  [
    "a full disk",
    "disk_full",
    {
      returnCode: 1,
      output: [traceback("OSError: [Errno 28] No space left on device: '/tmp/checkpoint.pt'")],
    },
  ],
  [
    "a full disk quota",
    "disk_full",
    { output: ["cp: error writing '/mnt/s3/model.bin': Disk quota exceeded\n"] },
  ],
  [
    "a module that is not installed",
    "module_not_found",
    { returnCode: 1, output: [traceback("ModuleNotFoundError: No module named 'transformers'")] },
  ],
  [
    "a name that a module lacks",
    "module_not_found",
    {
      output: [
        traceback(
          "ImportError: cannot import name 'Trainer' from 'transformers' (/site-packages/transformers/__init__.py)",
        ),
      ],
    },
  ],
  [
    "a script that python -m does not find",
    "module_not_found",
    { returnCode: 1, output: ["/usr/bin/python3: No module named train\n"] },
  ],
  [
    "a package that pip does not find",
    "module_not_found",
    {
      output: [
        "",
        "ERROR: Could not find a version that satisfies the requirement tourch\nERROR: No matching distribution found for tourch\n",
      ],
    },
  ],
  [
    "a shared library that is missing",
    "module_not_found",
    {
      returnCode: 127,
      output: [
        "./solver: error while loading shared libraries: libcudnn.so.9: cannot open shared object file\n",
      ],
    },
  ],
  [
    "Docker's missing image",
    "image_not_found",
    {
      platform: ["Error response from daemon: manifest for ghcr.io/team/train:9 not found: manifest unknown"],
    },
  ],
  [
    "a registry that refuses the pull",
    "image_not_found",
    {
      platform: [
        "pull access denied for team/train, repository does not exist or may require 'docker login'",
      ],
    },
  ],
  [
    "Kubernetes' missing image",
    "image_not_found",
    { platform: ['ErrImagePull: failed to pull and unpack image "docker.io/library/trian:7": not found'] },
  ],
  [
    "an NCCL error",
    "nccl",
    {
      returnCode: 1,
      output: [
        traceback(
          "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1691, unhandled system error (run with NCCL_DEBUG=INFO for details)",
        ),
      ],
    },
  ],
  [
    "an NCCL watchdog",
    "nccl",
    {
      returnCode: 134,
      output: [
        "[rank3]:[E] [PG 0 Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=812, OpType=ALLREDUCE) ran for 600029 milliseconds\n",
      ],
    },
  ],
  ["an exit code of a shell for SIGKILL", "killed_by_signal", { returnCode: 137, output: ["epoch 3\n"] }],
  ["an exit code of Python for SIGTERM", "killed_by_signal", { returnCode: -15 }],
  [
    "a segmentation fault",
    "killed_by_signal",
    { returnCode: 139, output: ["Segmentation fault (core dumped)\n"] },
  ],
  [
    "a worker that torchrun lost to a signal",
    "killed_by_signal",
    {
      returnCode: 1,
      output: ["failed (exitcode: -9) local_rank: 0\n traceback : Signal 9 (SIGKILL) received by PID 71\n"],
    },
  ],
  ["Lyceum's word for a time limit", "timeout", { platform: ["Execution timed out after 60 s"] }],
  ["a quota of the account", "quota", { platform: ["GPU quota exceeded: 8 of 8 gpu.h100 in use"] }],
  ["credits that are used up", "quota", { platform: ["Insufficient credits to start gpu.h100"] }],
  ["hardware that is all taken", "capacity", { platform: ["no capacity for gpu.h100 in eu-north"] }],
  [
    "Kubernetes' scheduler without a node",
    "capacity",
    { platform: ["0/12 nodes are available: 12 Insufficient nvidia.com/gpu."] },
  ],
  [
    "an exception of the program's own",
    null,
    { returnCode: 1, output: [traceback("ValueError: bad learning rate")] },
  ],
  ["an ordinary exit code", null, { returnCode: 3, output: ["", "done with errors\n"] }],
  ["exit code 255, which is no signal", null, { returnCode: 255 }],
  ["no word at all", null, { returnCode: null, platform: [null, undefined], output: [null] }],
];

test.each(cases)("%s is found as %s", (_name, reason, evidence) => {
  expect(failureReason(evidence)).toBe(reason);
});

describe("among several causes", () => {
  test("the last in a text is the reason, because the run survived the ones before", () => {
    const output =
      traceback("CUDA out of memory; halving the batch") +
      traceback("ModuleNotFoundError: No module named 'x'");
    expect(failureReason({ output: [output] })).toBe("module_not_found");
  });

  test("a cause comes before the NCCL errors and signals that follow from it", () => {
    const output = "torch.OutOfMemoryError: CUDA out of memory.\nncclRemoteError: a peer is gone\n";
    expect(failureReason({ returnCode: -6, output: [output] })).toBe("out_of_memory");
  });

  test("Lyceum's word comes before the output", () => {
    const evidence = { platform: ["OOMKilled"], output: ["OSError: [Errno 28] No space left on device"] };
    expect(failureReason(evidence)).toBe("out_of_memory");
  });

  test("words about images, quotas and capacity count only where Lyceum says them", () => {
    const output = "quota exceeded\nno capacity\nmanifest unknown\nout of memory is handled\n";
    expect(failureReason({ returnCode: 1, output: [output] })).toBeNull();
  });

  test("an exception counts at the start of a line, not where a message quotes it", () => {
    expect(failureReason({ output: ["skipped: ModuleNotFoundError: No module named 'apex'\n"] })).toBeNull();
  });
});

test("only the end of a long text is searched", () => {
  const early = `CUDA out of memory\n${"step\n".repeat(10_000)}`;
  expect(failureReason({ output: [early] })).toBeNull();
  expect(failureReason({ output: [`${"step\n".repeat(10_000)}CUDA out of memory\n`] })).toBe("out_of_memory");
});

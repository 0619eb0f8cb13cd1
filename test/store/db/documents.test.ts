// Stored documents: everything reads back as it was, and so does what earlier builds stored.
import fc from "fast-check";
import { expect, test } from "vitest";
import { packDocument, unpackDocument } from "../../../src/store/db/documents.ts";

const at = "2026-01-31T12:00:01.250Z";
const metrics = {
  ...{ executionId: "6f0c2a1e", hostname: "node-17", timeRange: { start: at, end: at } },
  ...{ gpuUtilizationPercent: [], gpuMemoryUtilizationPercent: [], gpuTemperatureCelsius: [] },
  ...{ gpuPowerWatt: [], gpuPowerLimitWatt: [], gpuClockSmMhz: [], gpuClockMemMhz: [] },
  ...{ gpuPcieThroughputRxBytesPerSec: [], gpuPcieThroughputTxBytesPerSec: [] },
  ...{ systemRamTotalBytes: [{ timestamp: at, value: 68_719_476_736 }], systemRamUsedBytes: [] },
  systemCpuUsagePercent: [
    { timestamp: at, value: 4.75 },
    { timestamp: at, value: 5 },
  ],
};
const record = {
  ...{ stdout: "42\n", stderr: "", return_code: 0, result_json: null, errors: null, warnings: null },
  ...{ install_log: null, install_return_code: null, status_details: null },
};

test("any document reads back, whatever its strings and its size", () => {
  // Some strings look like what is stored in a shorter form.
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('{"stdout":"', "\u0001", '\\"', "(µ/ý", "x".repeat(3_000)),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.jsonValue(), text, fc.constant(metrics))), (document) => {
      const json = JSON.stringify(document);
      expect(JSON.stringify(unpackDocument(packDocument(document)))).toBe(json);
      expect(unpackDocument(packDocument(document), (written) => written)).toBe(json);
    }),
  );
});

test("documents of Lyceum take a third of their JSON", () => {
  for (const document of [metrics, record])
    expect(packDocument(document).length).toBeLessThan(JSON.stringify(document).length / 3);
});

// Never change these: databases are full of them.
test.each([
  ["plain JSON", '{"stdout":"42\\n","stderr":""}', { stdout: "42\n", stderr: "" }],
  ["a record", "\u001742\\n\u0018\u00190\u001a", record],
  [
    "metrics of a GPU",
    '\u000ee","hostname":"h\u000f26\u001027"},\u0002\u001126\u00121}],\u0003],\u0004],\u0005],\u0006],\u0007],\b],\t],\n]}',
    {
      ...{ executionId: "e", hostname: "h", timeRange: { start: "2026", end: "2027" } },
      ...{ gpuUtilizationPercent: [{ timestamp: "2026Z", value: 1 }], gpuMemoryUtilizationPercent: [] },
      ...{ gpuTemperatureCelsius: [], gpuPowerWatt: [], gpuPowerLimitWatt: [] },
      ...{ gpuClockSmMhz: [], gpuClockMemMhz: [], gpuPcieThroughputRxBytesPerSec: [] },
      gpuPcieThroughputTxBytesPerSec: [],
    },
  ],
  [
    "metrics without a GPU",
    '\u000ee","hostname":null,"timeRange":null,\u0001\u000b],\f],\r]}',
    {
      ...{ executionId: "e", hostname: null, timeRange: null },
      ...{ gpuUtilizationPercent: [], gpuMemoryUtilizationPercent: [], gpuTemperatureCelsius: [] },
      ...{ gpuPowerWatt: [], gpuPowerLimitWatt: [], gpuClockSmMhz: [], gpuClockMemMhz: [] },
      ...{ gpuPcieThroughputRxBytesPerSec: [], gpuPcieThroughputTxBytesPerSec: [] },
      ...{ systemRamTotalBytes: [], systemRamUsedBytes: [], systemCpuUsagePercent: [] },
    },
  ],
  [
    "a log",
    "[\u001126\u00131\u0014h\u0015,\u001127\u00132\u0014h\u0016]",
    [
      { timestamp: "2026Z", message: "1", level: null, hostname: "h", labels: { stream: "stdout" } },
      { timestamp: "2027Z", message: "2", level: null, hostname: "h", labels: { stream: "stderr" } },
    ],
  ],
  [
    "timing",
    "\u001b0\u001c1\u001d2\u001e3\u001f4}}",
    {
      timing: {
        ...{ jobRequestSent: 0, launchingContainer: 1, executingJob: 2, shuttingDown: 3 },
        total_duration: 4,
      },
    },
  ],
])("%s that was stored before is read", (_, stored, document) => {
  expect(JSON.stringify(unpackDocument(Buffer.from(stored)))).toBe(JSON.stringify(document));
});

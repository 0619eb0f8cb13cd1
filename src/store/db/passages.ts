// Passages that most of Lyceum's small answers have in common, stored as one control character each: JSON text escapes
// control characters and so never contains them. Stored documents are read with this list: nothing in it may change.

export function shorten(json: string): string {
  return json.replace(anyPassage, (passage) => characters.get(passage) ?? passage);
}

export function expand(stored: string): string {
  return stored.replace(anyCharacter, (character) => passages[character.charCodeAt(0) - 1] ?? character);
}

/** A passage's place, from 1 on, is its character. Of two that begin alike the first is tried first. */
const passages = [
  // Metrics of a run without a GPU.
  '"gpuUtilizationPercent":[],"gpuMemoryUtilizationPercent":[],"gpuTemperatureCelsius":[],"gpuPowerWatt":[],"gpuPowerLimitWatt":[],"gpuClockSmMhz":[],"gpuClockMemMhz":[],"gpuPcieThroughputRxBytesPerSec":[],"gpuPcieThroughputTxBytesPerSec":[],',
  '"gpuUtilizationPercent":[',
  '"gpuMemoryUtilizationPercent":[',
  '"gpuTemperatureCelsius":[',
  '"gpuPowerWatt":[',
  '"gpuPowerLimitWatt":[',
  '"gpuClockSmMhz":[',
  '"gpuClockMemMhz":[',
  '"gpuPcieThroughputRxBytesPerSec":[',
  '"gpuPcieThroughputTxBytesPerSec":[',
  '"systemRamTotalBytes":[',
  '"systemRamUsedBytes":[',
  '"systemCpuUsagePercent":[',
  '{"executionId":"',
  '","timeRange":{"start":"20',
  '","end":"20',
  '{"timestamp":"20',
  'Z","value":',
  // Logs.
  'Z","message":"',
  '","level":null,"hostname":"',
  '","labels":{"stream":"stdout"}}',
  '","labels":{"stream":"stderr"}}',
  // The record.
  '{"stdout":"',
  '","stderr":"',
  '","return_code":',
  ',"result_json":null,"errors":null,"warnings":null,"install_log":null,"install_return_code":null,"status_details":null}',
  // Timing.
  '{"timing":{"jobRequestSent":',
  ',"launchingContainer":',
  ',"executingJob":',
  ',"shuttingDown":',
  ',"total_duration":',
] as const;

const characters = new Map(
  passages.map((passage, place) => [passage as string, String.fromCharCode(place + 1)]),
);
const anyPassage = new RegExp(passages.map(RegExp.escape).join("|"), "g");
const anyCharacter = new RegExp(`[${[...characters.values()].map(RegExp.escape).join("")}]`, "g");

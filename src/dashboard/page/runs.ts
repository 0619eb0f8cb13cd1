// Runs over all jobs.
import { title } from "../view/parts.ts";
import { unavailable } from "../view/state.ts";

export function Runs() {
  title("Runs");
  return unavailable("This Proctor does not offer it yet.");
}

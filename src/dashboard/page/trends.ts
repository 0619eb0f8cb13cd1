// Series over time: not offered while the service keeps none.
import { h } from "../html.ts";
import { Panel } from "../view/parts.ts";
import { unavailable } from "../view/state.ts";

export function Trends() {
  return h(Panel, { title: "Trends", children: unavailable("This Proctor keeps no series over time yet.") });
}

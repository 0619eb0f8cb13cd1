// Templates without a build. Our own components are put in as `h(Component, props)`, which the compiler checks.
import htm from "htm";
import { type ComponentChildren, createElement, type VNode } from "preact";

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

// The package declares its types as those of a CommonJS module.
export const html = (htm as unknown as { bind(make: typeof createElement): Template }).bind(createElement);

export const h = createElement as <P>(
  component: (props: P) => ComponentChildren,
  props: P & { key?: string },
) => VNode;
